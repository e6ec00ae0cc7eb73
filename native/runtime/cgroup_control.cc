#include "cgroup_control.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "cgroup.h"
#include "files.h"

namespace mooring {
namespace {

constexpr int most_waits = 1000;  // of 10 ms

void wait_a_little() { usleep(10000); }

std::vector<std::string> folders_below(const std::string& folder) {
  std::vector<std::string> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(folder.c_str()), closedir);
  if (!listing) return found;
  while (const dirent* entry = readdir(listing.get()))
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') found.push_back(folder + "/" + entry->d_name);
  return found;
}

Status each_hierarchy(const std::function<Status(const Hierarchy&)>& visit) {
  auto hierarchies = find_all_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  for (const Hierarchy& hierarchy : *hierarchies) MOORING_TRY(visit(hierarchy));
  return ok();
}

Status collect(const std::string& folder, std::vector<pid_t>& pids) {
  auto text = read_file(AT_FDCWD, folder + "/cgroup.procs");
  if (!text) return text.error().code == ENOENT || text.error().code == ENODEV ? ok() : Status(std::move(text.error()));
  for (std::size_t at = 0; at < text->size(); at = text->find('\n', at) + 1) pids.push_back(std::atoi(text->c_str() + at));
  for (const std::string& below : folders_below(folder)) MOORING_TRY(collect(below, pids));
  return ok();
}

// Linux 5.14: no process gets away by forking.
Status kill_at_once(const Hierarchy& hierarchy, const std::string& path) {
  if (!hierarchy.unified) return ok();
  const std::string file = hierarchy.mount_point + path + "/cgroup.kill";
  auto killed = write_file(AT_FDCWD, file, "1", file);
  return killed || killed.error().code == ENOENT ? ok() : std::move(killed);
}

Status remove_tree(const std::string& folder) {
  for (int i = 0;; ++i) {
    if (rmdir(folder.c_str()) == 0 || errno == ENOENT) return ok();
    if (errno != EBUSY || i == most_waits) return sys_error("remove cgroup " + folder);
    for (const std::string& below : folders_below(folder)) MOORING_TRY(remove_tree(below));
    if (i > 0) wait_a_little();
  }
}

// The hierarchy's file that freezes, what is written to it, and where the outcome is read.
struct Freezer {
  std::string folder;
  bool unified = false;
};

Result<Freezer> find_freezer(const std::string& path) {
  auto hierarchies = find_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  for (const Hierarchy& hierarchy : *hierarchies)
    if (hierarchy.unified || hierarchy.has("freezer")) return Freezer{hierarchy.mount_point + path, hierarchy.unified};
  return Error{"this host has no cgroup freezer"};
}

Result<bool> read_frozen(const Freezer& freezer) {
  auto text = read_file(AT_FDCWD, freezer.folder + (freezer.unified ? "/cgroup.events" : "/freezer.state"));
  if (!text) return std::move(text.error());
  return freezer.unified ? text->find("frozen 1") != std::string::npos : *text == "FROZEN\n";
}

}  // namespace

Result<std::vector<pid_t>> processes_in(const std::string& path) {
  std::vector<pid_t> pids;
  MOORING_TRY(each_hierarchy([&](const Hierarchy& hierarchy) { return collect(hierarchy.mount_point + path, pids); }));
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

Status signal_all(const std::string& path, int signal) {
  if (path_parts(path).empty()) return Error{"the processes of a hierarchy's root are not a container's", EINVAL};
  if (signal == SIGKILL) MOORING_TRY(each_hierarchy([&](const Hierarchy& hierarchy) { return kill_at_once(hierarchy, path); }));
  for (int i = 0; i < most_waits; ++i) {
    auto pids = processes_in(path);
    if (!pids) return std::move(pids.error());
    for (const pid_t pid : *pids)
      if (kill(pid, signal) != 0 && errno != ESRCH) return sys_error("signal process " + std::to_string(pid));
    if (pids->empty() || signal != SIGKILL) return ok();
    wait_a_little();
  }
  return Error{"processes in cgroup " + path + " do not end", ETIMEDOUT};
}

Status remove_cgroups(const std::string& path) {
  if (path_parts(path).empty()) return Error{"a hierarchy's root can't be removed", EINVAL};
  return each_hierarchy([&](const Hierarchy& hierarchy) { return remove_tree(hierarchy.mount_point + path); });
}

Result<bool> is_frozen(const std::string& path) {
  auto freezer = find_freezer(path);
  if (!freezer) return std::move(freezer.error());
  auto frozen = read_frozen(*freezer);
  return !frozen && frozen.error().code == ENOENT ? Result<bool>(false) : std::move(frozen);
}

Result<std::string> freezer_folder(const std::string& path) {
  auto freezer = find_freezer(path);
  if (!freezer) return std::move(freezer.error());
  return std::move(freezer->folder);
}

Status set_frozen(const std::string& path, bool frozen) {
  auto freezer = find_freezer(path);
  if (!freezer) return std::move(freezer.error());
  const std::string file = freezer->folder + (freezer->unified ? "/cgroup.freeze" : "/freezer.state");
  const char* value = freezer->unified ? (frozen ? "1" : "0") : (frozen ? "FROZEN" : "THAWED");
  for (int i = 0; i < most_waits; ++i) {
    // Again each time: on v1 a process that was born meanwhile is caught by the next write only.
    MOORING_TRY(write_file(AT_FDCWD, file, value, file));
    auto now = read_frozen(*freezer);
    if (!now) return std::move(now.error());
    if (*now == frozen) return ok();
    wait_a_little();
  }
  return Error{file + " does not become " + value, ETIMEDOUT};
}

Status update_limits(const std::string& path, const Resources& asked) {
  Resources resources = asked;
  const auto drop_empty = [](auto&... limits) { ((limits && *limits == std::decay_t<decltype(*limits)>{} ? limits.reset() : void()), ...); };
  drop_empty(resources.cpu_shares, resources.cpu_quota, resources.cpu_period, resources.cpu_rt_runtime, resources.cpu_rt_period, resources.cpuset_cpus, resources.cpuset_mems, resources.memory_limit, resources.memory_reservation, resources.memory_swap,
             resources.memory_kernel, resources.memory_kernel_tcp, resources.pids_limit);
  auto hierarchies = find_all_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  MOORING_TRY(check_controllers(*hierarchies, resources));
  return each_hierarchy([&](const Hierarchy& hierarchy) -> Status {
    const std::string label = hierarchy.mount_point + path;
    const UniqueFd folder(open(label.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder && errno == ENOENT && hierarchy.unified && hierarchies->size() > 1) {
      // Not placed there when it was made, since it asked for nothing that only version 2 has.
      const bool asked = !resources.huge_pages.empty() || !resources.unified.empty();
      return asked ? Status(Error{"the container was made without a cgroup of version 2, so that it can't be limited there now", EINVAL}) : ok();
    }
    if (!folder) return sys_error("open cgroup " + label);
    if (hierarchy.unified) return limit_v2(hierarchy, folder.get(), label, false, resources);
    Hierarchy limited = hierarchy;
    std::erase(limited.controllers, "devices");
    return limit_v1(limited, folder.get(), label, false, resources);
  });
}

}  // namespace mooring
