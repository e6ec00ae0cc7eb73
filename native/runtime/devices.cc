#include "devices.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "open_in_root.h"

namespace mooring {
namespace {

bool same_node(const struct stat& status, const Device& device) {
  if ((status.st_mode & S_IFMT) != device.type) return false;
  return device.type == S_IFIFO || status.st_rdev == makedev(device.major, device.minor);
}

// `folder` and `name` come from one resolution; no step from here follows a symlink.
Status make_node(int folder, const char* name, const Device& device) {
  struct stat status;
  if (mknodat(folder, name, device.type | device.mode, makedev(device.major, device.minor)) != 0) {
    if (errno != EEXIST) return sys_error("make device " + device.path);
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return sys_error("stat " + device.path);
    if (!same_node(status, device)) return Error{"make device " + device.path + ": the rootfs has something else there", EEXIST};
    return ok();
  }
  if (fchmodat(folder, name, device.mode, 0) != 0) return sys_error("chmod device " + device.path);  // mknod minds the umask
  if ((device.uid || device.gid) && fchownat(folder, name, device.uid, device.gid, AT_SYMLINK_NOFOLLOW) != 0) return sys_error("chown device " + device.path);
  return ok();
}

Status make_link(int folder, const char* name, const char* target) {
  if (symlinkat(target, folder, name) != 0 && errno != EEXIST) return sys_error(std::string("link /dev/") + name);
  return ok();
}

}  // namespace

Status make_default_devices(int rootfs) {
  auto dev = make_in_root(rootfs, "/dev", Kind::folder);
  if (!dev) return std::move(dev.error());
  for (const auto& [name, major, minor] : {std::tuple{"null", 1u, 3u}, {"zero", 1u, 5u}, {"full", 1u, 7u}, {"random", 1u, 8u}, {"urandom", 1u, 9u}, {"tty", 5u, 0u}})
    MOORING_TRY(make_node(dev->get(), name, {.path = std::string("/dev/") + name, .type = S_IFCHR, .major = major, .minor = minor}));
  // The image's own ptmx, where /dev is a part of the image, would be that of another devpts.
  if (unlinkat(dev->get(), "ptmx", 0) != 0 && errno != ENOENT) return sys_error("replace /dev/ptmx");
  MOORING_TRY(make_link(dev->get(), "ptmx", "pts/ptmx"));
  MOORING_TRY(make_link(dev->get(), "fd", "/proc/self/fd"));
  MOORING_TRY(make_link(dev->get(), "stdin", "/proc/self/fd/0"));
  MOORING_TRY(make_link(dev->get(), "stdout", "/proc/self/fd/1"));
  return make_link(dev->get(), "stderr", "/proc/self/fd/2");
}

Status make_devices(int rootfs, const std::vector<Device>& devices) {
  for (const Device& device : devices) {
    auto entry = make_parent_in_root(rootfs, device.path);
    if (!entry) return std::move(entry.error());
    MOORING_TRY(make_node(entry->folder.get(), entry->name.c_str(), device));
  }
  return ok();
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
