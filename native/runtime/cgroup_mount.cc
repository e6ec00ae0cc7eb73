#include "cgroup_mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount_api.h"

namespace mooring {
namespace {

// The container's folder by bind, not a new mount of the hierarchy: the same view with and without a cgroup namespace, and nothing above it (release_agent) exists in it.
Result<UniqueFd> own_folder(const PlacedCgroup& cgroup, uint64_t attributes) {
  auto mount = clone_mount(AT_FDCWD, cgroup.folder, false);
  if (!mount) return mount;
  MOORING_TRY(change_mount(mount->get(), {.set = attributes, .propagation = MS_PRIVATE}, cgroup.folder));
  return mount;
}

// Where controllers share a hierarchy ("cpu,cpuacct"), each is also found by its own name.
Status link_names(int folder, const std::string& name) {
  if (name.find(',') == std::string::npos) return ok();
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find(',', at), name.size());
    const std::string one = name.substr(at, end - at);
    if (symlinkat(name.c_str(), folder, one.c_str()) != 0) return sys_error("link cgroup " + one);
    at = end + 1;
  }
  return ok();
}

}  // namespace

Status mount_cgroups(const Mount& mount, int target, const std::vector<PlacedCgroup>& cgroups) {
  const uint64_t attributes = mount.set | mount.recursive_set;
  bool v1 = false;
  for (const PlacedCgroup& cgroup : cgroups) v1 = v1 || !cgroup.unified;
  if (!v1) {
    if (cgroups.empty()) return Error{"this host has no cgroups to mount"};
    auto folder = own_folder(cgroups.front(), attributes);
    if (!folder) return std::move(folder.error());
    return attach_mount(folder->get(), target, mount.destination);
  }
  auto top = new_mount("tmpfs", "tmpfs", {{"mode", "755"}}, attributes & ~static_cast<uint64_t>(MOUNT_ATTR_RDONLY));
  if (!top) return std::move(top.error());
  MOORING_TRY(attach_mount(top->get(), target, mount.destination));
  for (const PlacedCgroup& cgroup : cgroups) {
    const std::string name = cgroup.unified ? "unified" : cgroup.name;
    if (mkdirat(top->get(), name.c_str(), 0755) != 0) return sys_error("make folder " + name);
    const UniqueFd place(openat(top->get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!place) return sys_error("open folder " + name);
    auto folder = own_folder(cgroup, attributes);
    if (!folder) return std::move(folder.error());
    MOORING_TRY(attach_mount(folder->get(), place.get(), name));
    MOORING_TRY(link_names(top->get(), name));
  }
  return change_mount(top->get(), {.set = attributes & MOUNT_ATTR_RDONLY}, mount.destination);
}

}  // namespace mooring
