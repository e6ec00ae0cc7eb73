#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "cgroup_limits.h"
#include "files.h"

namespace mooring {
namespace {

// A value that the other's old one forbids is refused; then the other goes first.
template <typename First, typename Second>
Status in_either_order(First first, Second second) {
  if (first()) return second();
  MOORING_TRY(second());
  return first();
}

Status limit_cpu(const Limits& limits, const Resources& r) {
  if (r.cpu_idle && *r.cpu_idle) MOORING_TRY(limits.write("cpu.idle", "1", "cpu.idle"));  // which takes no shares
  if (!r.cpu_idle || !*r.cpu_idle) {
    if (r.cpu_idle) MOORING_TRY(limits.write("cpu.idle", "0", "cpu.idle"));
    MOORING_TRY(limits.set("cpu.shares", r.cpu_shares, "1024"));
  }
  // A burst is at most the quota; a longer period makes the old quota's share smaller, which cgroups below may not fit in.
  const auto burst = [&] { return r.cpu_burst ? limits.write("cpu.cfs_burst_us", std::to_string(*r.cpu_burst), "cpu.burst") : ok(); };
  const auto bandwidth = [&] {
    return in_either_order([&] { return limits.set("cpu.cfs_period_us", r.cpu_period, "100000"); }, [&] { return limits.set("cpu.cfs_quota_us", r.cpu_quota, "-1"); });
  };
  MOORING_TRY(in_either_order(burst, bandwidth));
  const auto period = [&] { return r.cpu_rt_period ? limits.write("cpu.rt_period_us", std::to_string(*r.cpu_rt_period), "cpu.realtimePeriod") : ok(); };
  const auto runtime = [&] { return r.cpu_rt_runtime ? limits.write("cpu.rt_runtime_us", std::to_string(*r.cpu_rt_runtime), "cpu.realtimeRuntime") : ok(); };
  return in_either_order(period, runtime);
}

Status limit_oom_killer(const Limits& limits, const std::optional<bool>& disabled) {
  if (disabled && *disabled) return limits.write("memory.oom_control", "1");
  if (!disabled) return limits.reused() ? limits.write("memory.oom_control", "0") : ok();
  auto now = limits.read("memory.oom_control");
  if (!now) return std::move(now.error());
  return now->starts_with("oom_kill_disable 1") ? limits.write("memory.oom_control", "0") : ok();
}

Status limit_memory(const Limits& limits, const Resources& r) {
  MOORING_TRY(check_usage(limits, "memory.usage_in_bytes", r));
  const bool counts_swap = limits.has("memory.memsw.limit_in_bytes");
  if (!counts_swap && r.memory_swap && *r.memory_swap >= 0 && (!r.memory_limit || *r.memory_swap != *r.memory_limit)) return Error{"linux.resources.memory.swap: this kernel does not account for swap", ENOENT};
  // The memory limit may never be above that of memory and swap: raising starts with the latter, lowering with the former.
  MOORING_TRY(in_either_order([&] { return limits.set("memory.limit_in_bytes", r.memory_limit, "-1"); },
                              [&] { return counts_swap ? limits.set("memory.memsw.limit_in_bytes", r.memory_swap, "-1") : ok(); }));
  MOORING_TRY(limits.set("memory.soft_limit_in_bytes", r.memory_reservation, "-1"));
  if (r.memory_kernel) MOORING_TRY(limits.write("memory.kmem.limit_in_bytes", std::to_string(*r.memory_kernel), "memory.kernel"));
  if (r.memory_kernel_tcp) MOORING_TRY(limits.write("memory.kmem.tcp.limit_in_bytes", std::to_string(*r.memory_kernel_tcp), "memory.kernelTCP"));
  if (r.memory_swappiness) MOORING_TRY(limits.write("memory.swappiness", std::to_string(*r.memory_swappiness)));
  return limit_oom_killer(limits, r.disable_oom_killer);
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
  if (hierarchy.has("memory")) MOORING_TRY(limit_memory(limits, r));
  if (hierarchy.has("pids")) {
    if (r.pids_limit && *r.pids_limit > 0) MOORING_TRY(limits.write("pids.max", std::to_string(*r.pids_limit)));
    else if (r.pids_limit || reused) MOORING_TRY(limits.write("pids.max", "max"));
  }
  if (hierarchy.has("blkio")) MOORING_TRY(limit_io_v1(limits, r.io));
  if (hierarchy.has("hugetlb")) MOORING_TRY(limit_huge_pages(limits, false, r));
  if (hierarchy.has("rdma")) MOORING_TRY(limit_rdma(limits, r));
  if (hierarchy.has("net_cls") && r.network_class) MOORING_TRY(limits.write("net_cls.classid", std::to_string(*r.network_class)));
  if (hierarchy.has("net_prio"))
    for (const auto& [interface, priority] : r.network_priorities) MOORING_TRY(limits.write("net_prio.ifpriomap", interface + " " + std::to_string(priority)));
  if (hierarchy.has("devices")) MOORING_TRY(limit_devices(folder, label, r));
  return ok();
}

}  // namespace mooring
