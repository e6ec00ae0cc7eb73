#include "cgroup_systemd.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "cgroup.h"
#include "systemd_bus.h"

namespace mooring {
namespace {

constexpr uint64_t infinity = ~uint64_t{0};

// "a-b.slice" lies in "a.slice" (systemd.slice(5)).
Result<std::string> slice_path(const std::string& slice) {
  const std::string suffix = ".slice";
  if (slice == "-.slice") return std::string();
  std::string name = slice.ends_with(suffix) ? slice.substr(0, slice.size() - suffix.size()) : "", path;
  if (name.empty() || name.find_first_of("/:") != std::string::npos || name.starts_with('-') || name.ends_with('-') || name.find("--") != std::string::npos)
    return Error{"linux.cgroupsPath: \"" + slice + "\" is not the name of a slice"};
  for (std::size_t dash = name.find('-'); dash != std::string::npos; dash = name.find('-', dash + 1)) path += "/" + name.substr(0, dash) + suffix;
  return path + "/" + slice;
}

uint64_t amount(int64_t value) { return value < 0 ? infinity : static_cast<uint64_t>(value); }

// Those that systemd would set back to its own idea when it reloads.
std::vector<UnitProperty> limit_properties(const Resources& r) {
  std::vector<UnitProperty> all;
  if (r.memory_limit) all.push_back({"MemoryMax", amount(*r.memory_limit)});
  if (r.memory_reservation) all.push_back({"MemoryLow", amount(*r.memory_reservation)});
  if (r.memory_swap && *r.memory_swap < 0) all.push_back({"MemorySwapMax", infinity});
  else if (r.memory_swap && r.memory_limit && *r.memory_limit >= 0) all.push_back({"MemorySwapMax", amount(std::max<int64_t>(0, *r.memory_swap - *r.memory_limit))});
  if (r.cpu_shares && *r.cpu_shares > 0) all.push_back({"CPUWeight", weight_of(*r.cpu_shares)});
  if (r.cpu_quota) {
    const uint64_t period = r.cpu_period.value_or(100000);
    all.push_back({"CPUQuotaPerSecUSec", *r.cpu_quota < 0 ? infinity : static_cast<uint64_t>(*r.cpu_quota) * 1000000 / period});
    all.push_back({"CPUQuotaPeriodUSec", period});
  }
  if (r.pids_limit) all.push_back({"TasksMax", *r.pids_limit > 0 ? static_cast<uint64_t>(*r.pids_limit) : infinity});
  return all;
}

}  // namespace

Result<SystemdScope> systemd_scope(const Config& config, const std::string& id) {
  std::string slice = "system.slice", prefix = "mooring", name = id;
  if (!config.cgroups_path.empty()) {
    const std::size_t first = config.cgroups_path.find(':'), second = config.cgroups_path.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos || config.cgroups_path.find('/') != std::string::npos)
      return Error{"linux.cgroupsPath: \"" + config.cgroups_path + "\" must be slice:prefix:name where systemd has the cgroups"};
    if (first > 0) slice = config.cgroups_path.substr(0, first);
    prefix = config.cgroups_path.substr(first + 1, second - first - 1);
    name = config.cgroups_path.substr(second + 1);
  }
  auto folder = slice_path(slice);
  if (!folder) return std::move(folder.error());
  SystemdScope scope{slice, (prefix.empty() ? "" : prefix + "-") + name + ".scope", {}};
  scope.cgroup = *folder + "/" + scope.unit;
  return scope;
}

Status ScopeHolder::make(const SystemdScope& scope, const Resources& resources) {
  auto hierarchies = find_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  if (hierarchies->size() != 1 || !hierarchies->front().unified) return Error{"cgroups by systemd: this host's controllers are on cgroup version 1; use the cgroupfs driver"};
  pid_ = fork();
  if (pid_ < 0) return sys_error("fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  std::vector<UnitProperty> properties = limit_properties(resources);
  properties.insert(properties.end(), {{"Description", "container " + scope.unit},
                                       {"Slice", scope.slice},
                                       {"Delegate", true},
                                       {"DefaultDependencies", false},
                                       {"CollectMode", std::string("inactive-or-failed")},
                                       {"PIDs", std::vector<uint32_t>{static_cast<uint32_t>(pid_)}}});
  return start_scope(scope.unit, properties);
}

void ScopeHolder::end() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

Status update_scope(const std::string& unit, const Resources& resources) {
  const auto properties = limit_properties(resources);
  return properties.empty() ? ok() : set_unit_properties(unit, properties);
}

}  // namespace mooring
