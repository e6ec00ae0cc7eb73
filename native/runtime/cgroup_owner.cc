#include "cgroup_owner.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>

#include "files.h"

namespace mooring {
namespace {

bool is_delegated(const Config& config) {
  if (!(config.namespaces.created & CLONE_NEWCGROUP)) return false;
  return std::any_of(config.mounts.begin(), config.mounts.end(), [](const Mount& mount) {
    return mount.type == "cgroup" && path_parts(mount.destination) == std::vector<std::string>{"sys", "fs", "cgroup"} && !((mount.set | mount.recursive_set) & MOUNT_ATTR_RDONLY);
  });
}

// Linux 4.15 has the list.
std::string delegated_files() {
  auto listed = read_file(AT_FDCWD, "/sys/kernel/cgroup/delegate");
  return listed ? *listed : "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
}

}  // namespace

Status give_cgroup(const Config& config, const Cgroups& cgroups, uid_t owner, gid_t group) {
  if (!cgroups.unified || owner == 0 || !is_delegated(config)) return ok();
  const int folder = cgroups.unified.get();
  if (fchownat(folder, "", owner, group, AT_EMPTY_PATH) != 0) return sys_error("give the container's cgroup to user " + std::to_string(owner));
  const std::string files = delegated_files();
  for (std::size_t at = 0; at < files.size();) {
    const std::size_t end = std::min(files.find('\n', at), files.size());
    const std::string name = files.substr(at, end - at);
    at = end + 1;
    // Not every file is in every cgroup.
    if (!name.empty() && fchownat(folder, name.c_str(), owner, group, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT) return sys_error("give the container's " + name + " to user " + std::to_string(owner));
  }
  return ok();
}

}  // namespace mooring
