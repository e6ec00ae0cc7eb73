#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "cgroup_limits.h"
#include "files.h"

namespace mooring {
namespace {

// Controllers work in a folder once all its ancestors pass them on.
Status pass_on_controllers(const Hierarchy& hierarchy, int folder, const std::string& label) {
  std::string wanted;
  for (const char* controller : {"cpu", "cpuset", "memory", "pids", "io", "hugetlb", "rdma", "misc"}) {
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

std::string bytes(int64_t value) { return value < 0 ? "max" : std::to_string(value); }

Status limit_cpu(const Limits& limits, const Resources& r) {
  if (r.cpu_rt_runtime || r.cpu_rt_period) return no_such_limit("cpu.realtimeRuntime", true);
  std::optional<std::string> weight;
  if (r.cpu_shares) weight = std::to_string(weight_of(*r.cpu_shares));
  if (r.cpu_idle) MOORING_TRY(limits.write("cpu.idle", std::to_string(*r.cpu_idle), "cpu.idle"));
  if (!r.cpu_idle || !*r.cpu_idle) MOORING_TRY(limits.set("cpu.weight", weight, "100"));  // an idle one takes no weight
  std::optional<std::string> max;
  if (r.cpu_quota) max = *r.cpu_quota < 0 ? "max" : std::to_string(*r.cpu_quota);  // alone, it leaves the period as it is
  if (max && !r.cpu_period && limits.reused()) *max += " 100000";
  if (r.cpu_period && !max) {
    auto now = limits.read("cpu.max");
    if (!now) return std::move(now.error());
    max = now->empty() ? "max" : now->substr(0, now->find(' '));
  }
  if (r.cpu_period) *max += " " + std::to_string(*r.cpu_period);
  const auto burst = [&] { return r.cpu_burst ? limits.write("cpu.max.burst", std::to_string(*r.cpu_burst), "cpu.burst") : ok(); };
  if (burst()) return limits.set("cpu.max", max, "max 100000");
  MOORING_TRY(limits.set("cpu.max", max, "max 100000"));  // it is at most the quota, whose old value may be too low for it
  return burst();
}

// memory.swap.max is of swap alone. An update of one of the two has to look at what the other is.
Result<std::optional<std::string>> swap_of(const Limits& limits, const Resources& r) {
  if (!r.memory_swap) return std::optional<std::string>();
  if (*r.memory_swap < 0) return std::optional<std::string>("max");
  std::string memory = r.memory_limit ? bytes(*r.memory_limit) : "max";
  if (!r.memory_limit) {
    auto now = limits.read("memory.max");
    if (!now) return std::move(now.error());
    if (!now->empty()) memory = *now;
  }
  if (memory == "max") return Error{"linux.resources.memory.swap: needs memory.limit too"};
  const int64_t limit = std::stoll(memory);
  if (*r.memory_swap < limit) return Error{"linux.resources.memory.swap: is memory and swap together, so it can't be below memory.limit"};
  return std::optional(std::to_string(*r.memory_swap - limit));
}

Status limit_memory(const Limits& limits, const Resources& r) {
  if (r.memory_swappiness) return no_such_limit("memory.swappiness", true);
  if (r.disable_oom_killer && *r.disable_oom_killer) return no_such_limit("memory.disableOOMKiller", true);
  if (r.memory_kernel && *r.memory_kernel > 0) return no_such_limit("memory.kernel", true);
  if (r.memory_kernel_tcp && *r.memory_kernel_tcp > 0) return no_such_limit("memory.kernelTCP", true);
  MOORING_TRY(check_usage(limits, "memory.current", r));
  auto swap = swap_of(limits, r);
  if (!swap) return std::move(swap.error());
  std::optional<std::string> limit, reservation;
  if (r.memory_limit) limit = bytes(*r.memory_limit);
  if (r.memory_reservation) reservation = bytes(*r.memory_reservation);
  MOORING_TRY(limits.set("memory.max", limit, "max"));
  MOORING_TRY(limits.set("memory.low", reservation, "0"));
  if (limits.has("memory.swap.max")) return limits.set("memory.swap.max", *swap, "max");
  return *swap && **swap != "max" && **swap != "0" ? Status(Error{"linux.resources.memory.swap: this kernel does not account for swap", ENOENT}) : ok();
}

}  // namespace

uint64_t weight_of(uint64_t shares) {
  if (shares < 2) shares = 2;
  if (shares > 262144) shares = 262144;
  return 1 + (shares - 2) * 9999 / 262142;
}

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
  if (hierarchy.has("cpu")) MOORING_TRY(limit_cpu(limits, r));
  if (hierarchy.has("cpuset")) {
    MOORING_TRY(limits.set("cpuset.cpus", r.cpuset_cpus, "\n"));
    MOORING_TRY(limits.set("cpuset.mems", r.cpuset_mems, "\n"));
  }
  if (hierarchy.has("memory")) MOORING_TRY(limit_memory(limits, r));
  if (hierarchy.has("pids")) {
    std::optional<std::string> most;
    if (r.pids_limit) most = *r.pids_limit > 0 ? std::to_string(*r.pids_limit) : "max";
    MOORING_TRY(limits.set("pids.max", most, "max"));
  }
  if (hierarchy.has("io")) MOORING_TRY(limit_io_v2(limits, r.io));
  if (hierarchy.has("hugetlb")) MOORING_TRY(limit_huge_pages(limits, true, r));
  if (hierarchy.has("rdma")) MOORING_TRY(limit_rdma(limits, r));
  for (const auto& [file, value] : r.unified) {
    if (file.find('/') != std::string::npos) return Error{"linux.resources.unified: \"" + file + "\" is not the name of a cgroup file"};
    MOORING_TRY(limits.write(file, value));
  }
  return ok();
}

}  // namespace mooring
