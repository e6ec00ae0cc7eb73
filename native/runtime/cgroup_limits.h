// One cgroup folder under limits; cgroup_v1*.cc and cgroup_v2*.cc know which file takes what.
#pragma once

#include <optional>
#include <string>

#include "config.h"
#include "result.h"

namespace mooring {

class Limits {
 public:
  /// `reused`: the folder was there before, and may hold other limits. Both strings are borrowed.
  Limits(int folder, const std::string& label, bool reused) : folder_(folder), label_(label), reused_(reused) {}

  /// What the spec asks for, or the kernel's default where a reused folder may hold an old limit.
  Status set(const char* file, const std::optional<std::string>& value, const char* kernel_default) const;
  template <typename T>
  Status set(const char* file, const std::optional<T>& value, const char* kernel_default) const {
    return set(file, value ? std::optional(std::to_string(*value)) : std::nullopt, kernel_default);
  }

  Status write(const std::string& file, const std::string& value) const;
  /// As write(), but where this kernel lacks the file the Error names the field that asks for it.
  Status write(const std::string& file, const std::string& value, const char* field) const;
  Result<std::string> read(const std::string& file) const;
  bool has(const char* file) const;
  bool reused() const { return reused_; }

 private:
  int folder_;
  const std::string& label_;
  bool reused_;
};

/// The Error for a field that this version of cgroups knows nothing of.
Error no_such_limit(const char* field, bool unified);

/// blkio on version 1, io on version 2.
Status limit_io_v1(const Limits& limits, const IoLimits& io);
Status limit_io_v2(const Limits& limits, const IoLimits& io);

/// linux.resources.hugepageLimits and .rdma, whose files differ by a suffix only.
Status limit_huge_pages(const Limits& limits, bool unified, const Resources& resources);
Status limit_rdma(const Limits& limits, const Resources& resources);

/// checkBeforeUpdate: an Error where more memory than `limit` is in use, as `file` has it.
Status check_usage(const Limits& limits, const char* file, const Resources& resources);

}  // namespace mooring
