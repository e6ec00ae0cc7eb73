#include "cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "files.h"
#include "launch.h"

namespace mooring {
namespace {

constexpr std::string_view limiting[] = {"cpu", "cpuset", "memory", "pids", "devices"};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    if (end > at) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

// mountinfo writes blanks and backslashes in octal (proc_pid_mountinfo(5)).
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_mount_flag(std::string_view option) {
  constexpr std::string_view flags[] = {"rw", "ro", "xattr", "clone_children", "noprefix", "cpuset_v2_mode", "favordynmods"};
  return std::find(std::begin(flags), std::end(flags), option) != std::end(flags) || option.starts_with("release_agent=");
}

Result<Hierarchy> read_unified(const std::string& mount_point) {
  Hierarchy hierarchy{mount_point, {}, true};
  auto offered = read_file(AT_FDCWD, mount_point + "/cgroup.controllers");
  if (!offered) return std::move(offered.error());
  while (!offered->empty() && offered->back() == '\n') offered->pop_back();
  for (const std::string_view name : split(*offered, ' ')) hierarchy.controllers.emplace_back(name);
  hierarchy.controllers.emplace_back("devices");  // an eBPF program, needs no controller
  return hierarchy;
}

bool covered(const std::vector<Hierarchy>& hierarchies, const std::string& controller) {
  return std::any_of(hierarchies.begin(), hierarchies.end(), [&](const Hierarchy& one) { return one.has(controller); });
}

bool asks_for_io(const IoLimits& io) { return io.weight || io.leaf_weight || !io.weights.empty() || !io.rates.empty(); }

// EINVAL: of a sandbox that was made ahead, a hierarchy that only this container asks for may be missing; it can be launched anew.
Status require(const std::vector<Hierarchy>& hierarchies, bool asked, const char* controller, const char* field) {
  if (!asked || covered(hierarchies, controller)) return ok();
  const bool v1_only = std::string_view(controller).starts_with("net_");
  return Error{std::string("linux.resources.") + field + ": this host has no cgroup controller \"" + controller + "\"" + (v1_only ? ", which version 1 only has" : ""), EINVAL};
}

std::string hierarchy_name(const Hierarchy& hierarchy) {
  std::string name;
  for (const std::string& controller : hierarchy.controllers) {
    if (!name.empty()) name += ',';
    name += controller.starts_with("name=") ? controller.substr(5) : controller;
  }
  return name;
}

}  // namespace

std::vector<std::string> path_parts(const std::string& path) {
  std::vector<std::string> parts;
  for (const std::string_view part : split(path, '/')) parts.emplace_back(part);
  return parts;
}

bool Hierarchy::has(const std::string& controller) const { return std::find(controllers.begin(), controllers.end(), controller) != controllers.end(); }

Result<std::vector<Hierarchy>> find_all_hierarchies() {
  auto table = read_file(AT_FDCWD, "/proc/self/mountinfo", 64 << 20);
  if (!table) return std::move(table.error());
  std::vector<Hierarchy> hierarchies;
  std::optional<std::string> unified;
  for (const std::string_view line : split(*table, '\n')) {
    const std::size_t dash = line.find(" - cgroup");
    if (dash == std::string_view::npos) continue;
    const auto fields = split(line, ' ');
    const auto tail = split(line.substr(dash + 3), ' ');
    if (fields.size() < 5 || tail.size() < 3) continue;
    const std::string mount_point = unescape(fields[4]);
    if (tail[0] == "cgroup2") {
      if (!unified) unified = mount_point;
      continue;
    }
    Hierarchy hierarchy{mount_point, {}, false};
    for (const std::string_view option : split(tail[2], ','))
      if (!is_mount_flag(option)) hierarchy.controllers.emplace_back(option);
    // The same hierarchy may be mounted in several places.
    if (!hierarchy.controllers.empty() && !covered(hierarchies, hierarchy.controllers.front())) hierarchies.push_back(std::move(hierarchy));
  }
  if (unified) {
    auto hierarchy = read_unified(*unified);
    if (!hierarchy) return std::move(hierarchy.error());
    std::erase_if(hierarchy->controllers, [&](const std::string& name) { return covered(hierarchies, name); });  // "devices"; the others are in one place only
    hierarchies.push_back(std::move(*hierarchy));
  }
  return hierarchies;
}

Result<std::vector<Hierarchy>> find_hierarchies() {
  auto hierarchies = find_all_hierarchies();
  if (!hierarchies || hierarchies->empty() || !hierarchies->back().unified) return hierarchies;
  const bool needed = std::any_of(std::begin(limiting), std::end(limiting), [&](std::string_view name) { return hierarchies->back().has(std::string(name)); });
  if (!needed) hierarchies->pop_back();
  return hierarchies;
}

Status check_controllers(const std::vector<Hierarchy>& hierarchies, const Resources& r) {
  MOORING_TRY(require(hierarchies, r.cpu_shares || r.cpu_quota || r.cpu_period || r.cpu_burst || r.cpu_idle || r.cpu_rt_period || r.cpu_rt_runtime, "cpu", "cpu"));
  MOORING_TRY(require(hierarchies, r.cpuset_cpus || r.cpuset_mems, "cpuset", "cpu.cpus"));
  MOORING_TRY(require(hierarchies, r.memory_limit || r.memory_reservation || r.memory_swap || r.memory_kernel || r.memory_kernel_tcp || r.memory_swappiness, "memory", "memory"));
  MOORING_TRY(require(hierarchies, r.pids_limit.has_value(), "pids", "pids.limit"));
  MOORING_TRY(require(hierarchies, !r.devices.empty(), "devices", "devices"));
  if (!covered(hierarchies, "blkio")) MOORING_TRY(require(hierarchies, asks_for_io(r.io), "io", "blockIO"));
  MOORING_TRY(require(hierarchies, !r.huge_pages.empty(), "hugetlb", "hugepageLimits"));
  MOORING_TRY(require(hierarchies, !r.rdma.empty(), "rdma", "rdma"));
  MOORING_TRY(require(hierarchies, r.network_class.has_value(), "net_cls", "network.classID"));
  MOORING_TRY(require(hierarchies, !r.network_priorities.empty(), "net_prio", "network.priorities"));
  if (!r.unified.empty() && std::none_of(hierarchies.begin(), hierarchies.end(), [](const Hierarchy& one) { return one.unified; }))
    return Error{"linux.resources.unified: this host's controllers are on cgroup version 1", EINVAL};
  return ok();
}

namespace {

Status limit(const Hierarchy& hierarchy, int folder, const std::string& label, bool reused, const Resources& resources) {
  if (!hierarchy.unified) return limit_v1(hierarchy, folder, label, reused, resources);
  MOORING_TRY(limit_v2(hierarchy, folder, label, reused, resources));
  return hierarchy.has("devices") ? set_device_program(folder, label, effective_device_rules(resources.devices)) : ok();
}

// On a hybrid host version 2 may hold controllers that few containers ask for.
bool needs_spare(const std::vector<Hierarchy>& hierarchies, const Resources& resources) {
  const bool unified = !hierarchies.empty() && hierarchies.back().unified;
  return !unified && (!resources.unified.empty() || !check_controllers(hierarchies, resources));
}

}  // namespace

std::vector<PlacedCgroup> place_cgroups(const std::vector<Hierarchy>& hierarchies, const std::string& path) {
  std::vector<PlacedCgroup> placed;
  for (const Hierarchy& one : hierarchies) placed.push_back({one.mount_point + path, hierarchy_name(one), one.unified});
  return placed;
}

Result<Cgroups> prepare_cgroups(const std::vector<Hierarchy>& given, const std::string& path, const Resources& resources) {
  auto hierarchies = needs_spare(given, resources) ? find_all_hierarchies() : given;
  if (!hierarchies) return std::move(hierarchies.error());
  MOORING_TRY(check_controllers(*hierarchies, resources));
  Cgroups cgroups;
  cgroups.placed = place_cgroups(*hierarchies, path);
  for (std::size_t i = 0; i < hierarchies->size(); ++i) {
    const Hierarchy& hierarchy = (*hierarchies)[i];
    const PlacedCgroup& placed = cgroups.placed[i];
    bool reused = false;
    auto folder = hierarchy.unified ? make_v2(hierarchy, path, reused) : make_v1(hierarchy, path, reused);
    if (!folder) return std::move(folder.error());
    MOORING_TRY(limit(hierarchy, folder->get(), placed.folder, reused, resources));
    if (hierarchy.unified) {
      cgroups.unified.reset(fcntl(folder->get(), F_DUPFD_CLOEXEC, 3));
      if (!cgroups.unified) return sys_error("copy the descriptor of " + placed.folder);
    } else {
      UniqueFd tasks(openat(folder->get(), "tasks", O_WRONLY | O_CLOEXEC));
      if (!tasks) return sys_error("open " + placed.folder + "/tasks");
      cgroups.tasks.push_back(std::move(tasks));
    }
    if (hierarchy.has("memory")) cgroups.memory_folder = placed.folder;
    cgroups.folders.push_back(std::move(*folder));
  }
  return cgroups;
}

Status limit_cgroups(const std::vector<Hierarchy>& hierarchies, const Cgroups& cgroups, const Resources& resources) {
  MOORING_TRY(check_controllers(hierarchies, resources));
  for (std::size_t i = 0; i < hierarchies.size(); ++i) MOORING_TRY(limit(hierarchies[i], cgroups.folders[i].get(), cgroups.placed[i].folder, false, resources));
  return ok();
}

void remove_cgroups(const std::vector<Hierarchy>& hierarchies, const std::string& path) {
  for (const Hierarchy& hierarchy : hierarchies) rmdir((hierarchy.mount_point + path).c_str());
}

Status enter_cgroups(const Cgroups& cgroups) {
  // "0" into `tasks`, not the pid into `cgroup.procs`: a thread that moves itself needs no cgroup_threadgroup_rwsem, whose writer waits 10 to 20 ms
  // for an RCU grace period when the machine has been idle. This process has one thread, so the outcome is the same.
  for (std::size_t i = 0; i < cgroups.tasks.size(); ++i)
    if (write(cgroups.tasks[i].get(), "0", 1) != 1) return sys_error("enter cgroup " + cgroups.placed[i].folder);
  return ok();
}

Result<unsigned long> oom_kills(const std::string& memory_cgroup) {
  auto text = read_file(AT_FDCWD, memory_cgroup + "/memory.events");
  if (!text && text.error().code == ENOENT) text = read_file(AT_FDCWD, memory_cgroup + "/memory.oom_control");
  if (!text) return std::move(text.error());
  for (const std::string_view line : split(*text, '\n'))
    if (line.starts_with("oom_kill ")) return std::stoul(std::string(line.substr(9)));
  return Error{memory_cgroup + " counts no OOM kills"};
}

}  // namespace mooring
