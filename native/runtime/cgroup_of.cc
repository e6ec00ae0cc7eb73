// The cgroups of a process that runs already.
#include <fcntl.h>

#include <algorithm>

#include "cgroup.h"
#include "files.h"

namespace mooring {
namespace {

// A line of /proc/<pid>/cgroup: "4:cpu,cpuacct:/path", "1:name=systemd:/path", "0::/path" for v2.
bool belongs(std::string_view controllers, const Hierarchy& hierarchy) {
  if (hierarchy.unified || controllers.empty()) return hierarchy.unified && controllers.empty();
  const std::string first(controllers.substr(0, controllers.find(',')));
  return hierarchy.has(first);
}

// On a hybrid host most containers are not in the hierarchy of version 2.
bool is_absent(const Hierarchy& hierarchy, const std::string& path, std::size_t count) { return hierarchy.unified && count > 1 && path == "/"; }

Status choose(const CgroupBelow& wanted, const std::vector<Hierarchy>& hierarchies, std::vector<std::string>& paths) {
  bool found = false;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (is_absent(hierarchies[i], paths[i], paths.size())) continue;
    const bool meant = wanted.controller.empty() || (!hierarchies[i].unified && hierarchies[i].has(wanted.controller));
    if (meant) paths[i] = wanted.path;
    found = found || meant;
  }
  return found ? ok() : Status(Error{"this host has no cgroup controller \"" + wanted.controller + "\" on version 1", ENOENT});
}

}  // namespace

std::string cgroup_path_of(const Config& config, const std::string& id) {
  if (config.cgroups_path.empty()) return "/mooring/" + id;
  return config.cgroups_path.starts_with('/') ? config.cgroups_path : "/" + config.cgroups_path;
}

Result<std::vector<std::string>> cgroup_paths(pid_t pid, const std::vector<Hierarchy>& hierarchies) {
  auto text = read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/cgroup");
  if (!text) return std::move(text.error());
  std::vector<std::string> paths(hierarchies.size());
  for (std::string_view rest = *text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    for (std::size_t i = 0; i < hierarchies.size(); ++i)
      if (belongs(line.substr(first + 1, second - first - 1), hierarchies[i])) paths[i] = line.substr(second + 1);
  }
  return paths;
}

Result<Cgroups> cgroups_of(pid_t pid, const std::vector<CgroupBelow>& chosen) {
  auto hierarchies = find_all_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  auto paths = cgroup_paths(pid, *hierarchies);
  if (!paths) return std::move(paths.error());
  for (const CgroupBelow& one : chosen) MOORING_TRY(choose(one, *hierarchies, *paths));
  Cgroups cgroups;
  for (std::size_t i = 0; i < paths->size(); ++i) {
    const Hierarchy& hierarchy = (*hierarchies)[i];
    PlacedCgroup placed{hierarchy.mount_point + (*paths)[i], {}, hierarchy.unified};
    if (is_absent(hierarchy, (*paths)[i], paths->size())) continue;
    if (hierarchy.unified) {
      cgroups.unified.reset(open(placed.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!cgroups.unified) return sys_error("open cgroup " + placed.folder);
    } else {
      UniqueFd tasks(open((placed.folder + "/tasks").c_str(), O_WRONLY | O_CLOEXEC));
      if (!tasks) return sys_error("open " + placed.folder + "/tasks");
      cgroups.tasks.push_back(std::move(tasks));
    }
    cgroups.placed.push_back(std::move(placed));
  }
  return cgroups;
}

}  // namespace mooring
