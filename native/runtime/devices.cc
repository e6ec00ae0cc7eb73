#include "devices.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>

#include "mount_api.h"
#include "open_in_root.h"

namespace mooring {
namespace {

bool same_node(const struct stat& status, const Device& device) {
  if ((status.st_mode & S_IFMT) != device.type) return false;
  return device.type == S_IFIFO || status.st_rdev == makedev(device.major, device.minor);
}

// `entry` comes from one resolution; no step from here follows a symlink. False where the same node is there already.
Result<bool> needs_node(const Entry& entry, const Device& device) {
  struct stat status;
  if (fstatat(entry.folder.get(), entry.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? Result<bool>(true) : sys_error("stat " + device.path);
  if (same_node(status, device)) return false;
  return Error{"make device " + device.path + ": the rootfs has something else there", EEXIST};
}

Status make_node(int folder, const char* name, const Device& device, uid_t uid, gid_t gid) {
  if (mknodat(folder, name, device.type | device.mode, makedev(device.major, device.minor)) != 0) return sys_error("make device " + device.path);
  if (fchmodat(folder, name, device.mode, 0) != 0) return sys_error("chmod device " + device.path);  // mknod minds the umask
  if ((uid || gid) && fchownat(folder, name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0) return sys_error("chown device " + device.path);
  return ok();
}

Status bind_node(const Entry& entry, const Device& device, int node) {
  auto place = make_file(entry, device.path);
  if (!place) return std::move(place.error());
  return attach_mount(node, place->get(), device.path);
}

Status make_link(int folder, const char* name, const char* target) {
  if (symlinkat(target, folder, name) != 0 && errno != EEXIST) return sys_error(std::string("link /dev/") + name);
  return ok();
}

}  // namespace

std::vector<Device> container_devices(const Config& config) {
  std::vector<Device> devices;
  const auto listed = [&](const std::string& path) { return std::any_of(devices.begin(), devices.end(), [&](const Device& one) { return one.path == path; }); };
  // The container's ptmx is that of its own devpts, by a link; engines list the host's among all its devices.
  for (const Device& device : config.devices)
    if (device.path != "/dev/ptmx") devices.push_back(device);
  for (const auto& [path, major, minor] : {std::tuple{"/dev/null", 1u, 3u}, {"/dev/zero", 1u, 5u}, {"/dev/full", 1u, 7u}, {"/dev/random", 1u, 8u}, {"/dev/urandom", 1u, 9u}, {"/dev/tty", 5u, 0u}})
    if (!listed(path)) devices.push_back({.path = path, .type = S_IFCHR, .major = major, .minor = minor});
  return devices;
}

Result<std::vector<UniqueFd>> lend_devices(const std::vector<Device>& devices, const IdMaps& maps, int place) {
  auto folder = new_mount("tmpfs", "devices", {{"mode", "700"}}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  if (!folder) return std::move(folder.error());
  MOORING_TRY(attach_mount(folder->get(), place, "a folder for devices"));  // kernels before 6.15 copy no mount that is attached nowhere
  std::vector<UniqueFd> lent(devices.size());
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const Device& device = devices[i];
    if (device.type == S_IFIFO) continue;
    const auto uid = maps.uids.outside(device.uid), gid = maps.gids.outside(device.gid);
    if (!uid || !gid) return Error{"make device " + device.path + ": its owner " + std::to_string(device.uid) + ":" + std::to_string(device.gid) + " is not mapped in the user namespace", EINVAL};
    const std::string name = std::to_string(i);
    MOORING_TRY(make_node(folder->get(), name.c_str(), device, *uid, *gid));
    const UniqueFd node(openat(folder->get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!node) return sys_error("open device " + device.path);
    auto mount = clone_mount(node.get(), "", false);
    if (!mount) return Error{"lend device " + device.path + ": " + mount.error().message, mount.error().code};
    lent[i] = std::move(*mount);
  }
  MOORING_TRY(detach_mount(folder->get(), "a folder for devices"));
  return lent;
}

Status make_devices(int rootfs, const std::vector<Device>& devices, const std::vector<UniqueFd>& lent) {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const Device& device = devices[i];
    // In /dev a link of the image's leads nowhere; elsewhere (/var/run) it leads inside.
    auto entry = make_parent_in_root(rootfs, device.path, device.path.starts_with("/dev/") ? RESOLVE_NO_SYMLINKS : 0);
    if (!entry) return Error{"make device " + device.path + ": " + entry.error().message, entry.error().code};
    auto needed = needs_node(*entry, device);
    if (!needed) return std::move(needed.error());
    if (!*needed) continue;
    if (!lent.empty() && lent[i]) MOORING_TRY(bind_node(*entry, device, lent[i].get()));
    else MOORING_TRY(make_node(entry->folder.get(), entry->name.c_str(), device, device.uid, device.gid));
  }
  return ok();
}

Status make_device_links(int rootfs) {
  auto dev = make_plain_folder_in_root(rootfs, "/dev");
  if (!dev) return std::move(dev.error());
  // The image's own ptmx, where /dev is a part of the image, would be that of another devpts.
  if (unlinkat(dev->get(), "ptmx", 0) != 0 && errno != ENOENT) return sys_error("replace /dev/ptmx");
  MOORING_TRY(make_link(dev->get(), "ptmx", "pts/ptmx"));
  MOORING_TRY(make_link(dev->get(), "fd", "/proc/self/fd"));
  MOORING_TRY(make_link(dev->get(), "stdin", "/proc/self/fd/0"));
  MOORING_TRY(make_link(dev->get(), "stdout", "/proc/self/fd/1"));
  return make_link(dev->get(), "stderr", "/proc/self/fd/2");
}

Result<UniqueFd> open_null(int rootfs) {
  auto null = open_in_root(rootfs, "/dev/null", O_PATH | O_NOFOLLOW);
  if (!null) return null;
  struct stat status;
  if (fstat(null->get(), &status) != 0) return sys_error("stat /dev/null in the rootfs");
  if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3)) return Error{"/dev/null in the rootfs is not the null device (1:3)", EPERM};
  return null;
}

}  // namespace mooring
