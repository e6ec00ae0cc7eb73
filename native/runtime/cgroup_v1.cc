#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "files.h"

namespace mooring {
namespace {

// One v1 folder under limits: `set` writes what the spec asks for, or the kernel's default where a reused folder may hold an old limit.
class Limits {
 public:
  Limits(int folder, const std::string& label, bool reused) : folder_(folder), label_(label), reused_(reused) {}

  template <typename T>
  Status set(const char* file, const std::optional<T>& value, const char* kernel_default) const {
    if (value) return write(file, std::to_string(*value));
    return reused_ ? write(file, kernel_default) : ok();
  }

  Status write(const char* file, const std::string& value) const { return write_file(folder_, file, value, label_ + "/" + file); }

 private:
  int folder_;
  const std::string& label_;
  bool reused_;
};

Status limit_cpu(const Limits& limits, const Resources& r) {
  MOORING_TRY(limits.set("cpu.shares", r.cpu_shares, "1024"));
  // A period that makes the old quota's share too large is refused; then the quota goes first.
  const Status period = limits.set("cpu.cfs_period_us", r.cpu_period, "100000");
  MOORING_TRY(limits.set("cpu.cfs_quota_us", r.cpu_quota, "-1"));
  return period ? ok() : limits.set("cpu.cfs_period_us", r.cpu_period, "100000");
}

Status limit_memory(const Limits& limits, bool counts_swap, const Resources& r) {
  const auto set_swap = [&] { return counts_swap ? limits.set("memory.memsw.limit_in_bytes", r.memory_swap, "-1") : ok(); };
  // The memory limit may never be above that of memory and swap: raising starts with the latter, lowering with the former.
  if (!limits.set("memory.limit_in_bytes", r.memory_limit, "-1")) {
    MOORING_TRY(set_swap());
    MOORING_TRY(limits.set("memory.limit_in_bytes", r.memory_limit, "-1"));
  } else {
    MOORING_TRY(set_swap());
  }
  MOORING_TRY(limits.set("memory.soft_limit_in_bytes", r.memory_reservation, "-1"));
  if (r.memory_swappiness) MOORING_TRY(limits.write("memory.swappiness", std::to_string(*r.memory_swappiness)));
  return r.disable_oom_killer ? limits.write("memory.oom_control", "1") : ok();
}

Status limit_devices(int folder, const std::string& label, const Resources& r) {
  // One descriptor for all rules of a kind; the kernel takes one rule a write.
  const UniqueFd allow(openat(folder, "devices.allow", O_WRONLY | O_CLOEXEC)), deny(openat(folder, "devices.deny", O_WRONLY | O_CLOEXEC));
  if (!allow || !deny) return sys_error("open the device lists of " + label);
  for (const DeviceRule& rule : effective_device_rules(r.devices)) {
    const auto number = [](const std::optional<int64_t>& value) { return value ? std::to_string(*value) : std::string("*"); };
    std::string text = "a";
    if (rule.type != 'a') text = std::string(1, rule.type) + " " + number(rule.major) + ":" + number(rule.minor) + " " + rule.access;
    if (write((rule.allow ? allow : deny).get(), text.data(), text.size()) < 0) return sys_error("write \"" + text + "\" to " + label + (rule.allow ? "/devices.allow" : "/devices.deny"));
  }
  return ok();
}

// A new v1 cpuset is empty and takes no process, unless its parent says clone_children.
Status fill_cpuset(int parent, int folder, const std::string& label) {
  for (const char* name : {"cpuset.cpus", "cpuset.mems"}) {
    auto own = read_file(folder, name);
    if (!own) return std::move(own.error());
    if (own->size() > 1) continue;
    auto inherited = read_file(parent, name);
    if (!inherited) return std::move(inherited.error());
    MOORING_TRY(write_file(folder, name, *inherited, label + "/" + name));
  }
  return ok();
}

}  // namespace

Result<UniqueFd> make_v1(const Hierarchy& hierarchy, const std::string& path, bool& reused) {
  std::string label = hierarchy.mount_point;
  UniqueFd folder(open(label.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return sys_error("open cgroup " + label);
  const bool cpuset = hierarchy.has("cpuset");
  for (const std::string& name : path_parts(path)) {
    label += "/" + name;
    reused = mkdirat(folder.get(), name.c_str(), 0755) != 0;
    if (reused && errno != EEXIST) return sys_error("make cgroup " + label);
    UniqueFd next(openat(folder.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return sys_error("open cgroup " + label);
    if (cpuset) MOORING_TRY(fill_cpuset(folder.get(), next.get(), label));
    folder = std::move(next);
  }
  return folder;
}

Status limit_v1(const Hierarchy& hierarchy, int folder, const std::string& label, bool reused, const Resources& r) {
  const Limits limits(folder, label, reused);
  if (hierarchy.has("cpu")) MOORING_TRY(limit_cpu(limits, r));
  if (hierarchy.has("cpuset")) {
    if (r.cpuset_cpus) MOORING_TRY(limits.write("cpuset.cpus", *r.cpuset_cpus));
    if (r.cpuset_mems) MOORING_TRY(limits.write("cpuset.mems", *r.cpuset_mems));
  }
  if (hierarchy.has("memory")) {
    const bool counts_swap = faccessat(folder, "memory.memsw.limit_in_bytes", F_OK, 0) == 0;
    MOORING_TRY(limit_memory(limits, counts_swap, r));
  }
  if (hierarchy.has("pids")) {
    if (r.pids_limit && *r.pids_limit > 0) MOORING_TRY(limits.write("pids.max", std::to_string(*r.pids_limit)));
    else if (r.pids_limit || reused) MOORING_TRY(limits.write("pids.max", "max"));
  }
  if (hierarchy.has("devices")) MOORING_TRY(limit_devices(folder, label, r));
  return ok();
}

}  // namespace mooring
