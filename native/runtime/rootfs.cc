#include "rootfs.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mount_api.h"
#include "overlay.h"

namespace mooring {

Result<UniqueFd> mount_rootfs(const Root& root) {
  if (root.overlay) return mount_overlay(*root.overlay, root.path, "root.path " + root.path);
  const UniqueFd place(open(root.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place) return sys_error("open root.path " + root.path);
  auto mount = clone_mount(place.get(), "", true);
  if (!mount) return mount;
  MOORING_TRY(change_mount(mount->get(), {.propagation = MS_PRIVATE, .recursive = true}, root.path));
  MOORING_TRY(attach_mount(mount->get(), place.get(), "root.path " + root.path));
  return mount;
}

Status attach_rootfs(int rootfs, int place, const Root& root) {
  MOORING_TRY(change_mount(rootfs, {.propagation = MS_PRIVATE, .recursive = true}, root.path));
  return attach_mount(rootfs, place, "root.path " + root.path);
}

Status enter_rootfs(int rootfs) {
  if (fchdir(rootfs) != 0) return sys_error("enter the rootfs");
  // Both arguments "." stack the old root on the new one (pivot_root(2), notes), so no folder for it is needed in the image.
  if (syscall(SYS_pivot_root, ".", ".") != 0) return sys_error("pivot_root");
  if (umount2(".", MNT_DETACH) != 0) return sys_error("detach the host's root");
  if (chdir("/") != 0) return sys_error("chdir to the new root");
  return ok();
}

}  // namespace mooring
