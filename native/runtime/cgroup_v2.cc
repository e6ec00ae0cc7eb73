#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "files.h"

namespace mooring {
namespace {

// Controllers work in a folder once all its ancestors pass them on.
Status pass_on_controllers(const Hierarchy& hierarchy, int folder, const std::string& label) {
  std::string wanted;
  for (const char* controller : {"cpu", "cpuset", "memory", "pids", "io", "hugetlb"}) {
    if (!hierarchy.has(controller)) continue;
    if (!wanted.empty()) wanted += ' ';
    wanted += std::string("+") + controller;
  }
  if (wanted.empty()) return ok();
  Status written = write_file(folder, "cgroup.subtree_control", wanted, label + "/cgroup.subtree_control");
  // Except in the root, v2 has processes either in a cgroup or below it (cgroups(7), "no internal processes").
  if (!written && written.error().code == EBUSY) written.error().message += " (processes are in this very cgroup; move them into one below it, then it can pass its controllers on)";
  return written;
}

// v1's shares 2…262144 (default 1024) onto v2's weight 1…10000, as runc and crun map them.
uint64_t weight_of(uint64_t shares) {
  if (shares < 2) shares = 2;
  if (shares > 262144) shares = 262144;
  return 1 + (shares - 2) * 9999 / 262142;
}

std::string bytes(int64_t value) { return value < 0 ? "max" : std::to_string(value); }

class Limits {
 public:
  Limits(int folder, const std::string& label, bool reused) : folder_(folder), label_(label), reused_(reused) {}
  // Without a value, a reused folder gets the kernel's default back.
  Status set(const char* file, const std::optional<std::string>& value, const char* kernel_default) const {
    if (value) return write(file, *value);
    return reused_ ? write(file, kernel_default) : ok();
  }
  Status write(const std::string& file, const std::string& value) const { return write_file(folder_, file, value, label_ + "/" + file); }

 private:
  int folder_;
  const std::string& label_;
  bool reused_;
};

Status limit_memory(const Limits& limits, bool counts_swap, const Resources& r) {
  std::optional<std::string> limit, reservation, swap;
  if (r.memory_limit) limit = bytes(*r.memory_limit);
  if (r.memory_reservation) reservation = bytes(*r.memory_reservation);
  if (r.memory_swap) {
    if (*r.memory_swap >= 0 && (!r.memory_limit || *r.memory_limit < 0)) return Error{"linux.resources.memory.swap: needs memory.limit too"};
    if (*r.memory_swap >= 0 && *r.memory_swap < *r.memory_limit) return Error{"linux.resources.memory.swap: is memory and swap together, so it can't be below memory.limit"};
    swap = *r.memory_swap < 0 ? "max" : std::to_string(*r.memory_swap - *r.memory_limit);
  }
  MOORING_TRY(limits.set("memory.max", limit, "max"));
  MOORING_TRY(limits.set("memory.low", reservation, "0"));
  return counts_swap ? limits.set("memory.swap.max", swap, "max") : ok();
}

}  // namespace

Result<UniqueFd> make_v2(const Hierarchy& hierarchy, const std::string& path, bool& reused) {
  std::string label = hierarchy.mount_point;
  UniqueFd folder(open(label.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return sys_error("open cgroup " + label);
  for (const std::string& name : path_parts(path)) {
    MOORING_TRY(pass_on_controllers(hierarchy, folder.get(), label));
    label += "/" + name;
    reused = mkdirat(folder.get(), name.c_str(), 0755) != 0;
    if (reused && errno != EEXIST) return sys_error("make cgroup " + label);
    UniqueFd next(openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return sys_error("open cgroup " + label);
    folder = std::move(next);
  }
  return folder;
}

Status limit_v2(const Hierarchy& hierarchy, int folder, const std::string& label, bool reused, const Resources& r) {
  const Limits limits(folder, label, reused);
  if (hierarchy.has("cpu")) {
    std::optional<std::string> weight, max;
    if (r.cpu_shares) weight = std::to_string(weight_of(*r.cpu_shares));
    if (r.cpu_quota || r.cpu_period)
      max = (r.cpu_quota.value_or(-1) < 0 ? "max" : std::to_string(*r.cpu_quota)) + " " + std::to_string(r.cpu_period.value_or(100000));
    MOORING_TRY(limits.set("cpu.weight", weight, "100"));
    MOORING_TRY(limits.set("cpu.max", max, "max 100000"));
  }
  if (hierarchy.has("cpuset")) {
    MOORING_TRY(limits.set("cpuset.cpus", r.cpuset_cpus, "\n"));
    MOORING_TRY(limits.set("cpuset.mems", r.cpuset_mems, "\n"));
  }
  if (hierarchy.has("memory")) MOORING_TRY(limit_memory(limits, faccessat(folder, "memory.swap.max", F_OK, 0) == 0, r));
  if (hierarchy.has("pids")) {
    std::optional<std::string> most;
    if (r.pids_limit) most = *r.pids_limit > 0 ? std::to_string(*r.pids_limit) : "max";
    MOORING_TRY(limits.set("pids.max", most, "max"));
  }
  for (const auto& [file, value] : r.unified) {
    if (file.find('/') != std::string::npos) return Error{"linux.resources.unified: \"" + file + "\" is not the name of a cgroup file"};
    MOORING_TRY(limits.write(file, value));
  }
  return ok();
}

}  // namespace mooring
