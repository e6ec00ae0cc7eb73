#include "masks.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "devices.h"
#include "mount_api.h"
#include "open_in_root.h"

namespace mooring {
namespace {

bool absent(const Error& error) { return error.code == ENOENT || error.code == ENOTDIR; }

constexpr uint64_t inert = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

Result<UniqueFd> empty_folder() { return new_mount("tmpfs", "tmpfs", {{"nr_blocks", "1"}, {"nr_inodes", "2"}, {"mode", "755"}}, inert); }

// What covers a path of that kind: a copy of the one in `first`, which is made at the first need. That one is put to use itself before it is copied,
// since kernels before 6.15 copy no mount that is attached nowhere.
Result<UniqueFd> cover(UniqueFd& first, bool folder, int rootfs) {
  if (first) return clone_mount(first.get(), "", false);
  auto made = folder ? empty_folder() : open_null(rootfs);
  if (!made) return made;
  first.reset(made->release());
  if (folder) return UniqueFd(fcntl(first.get(), F_DUPFD_CLOEXEC, 0));
  return clone_mount(first.get(), "", false);
}

Result<UniqueFd> open_place(int rootfs, const KernelFolders& kernel, const std::string& path) {
  if (kernel.proc >= 0 && path.starts_with("/proc/")) return open_in_root(kernel.proc, path.substr(5), O_PATH);
  if (kernel.sys >= 0 && path.starts_with("/sys/")) return open_in_root(kernel.sys, path.substr(4), O_PATH);
  return open_in_root(rootfs, path, O_PATH);
}

}  // namespace

Status mask_paths(int rootfs, const KernelFolders& kernel, const std::vector<std::string>& paths) {
  UniqueFd null_device, empty;
  for (const std::string& path : paths) {
    auto target = open_place(rootfs, kernel, path);
    if (!target) {
      if (absent(target.error())) continue;
      return std::move(target.error());
    }
    struct stat status;
    if (fstat(target->get(), &status) != 0) return sys_error("stat masked path " + path);
    const bool folder = S_ISDIR(status.st_mode);
    auto covering = cover(folder ? empty : null_device, folder, rootfs);
    if (!covering) return Error{"mask " + path + ": " + covering.error().message, covering.error().code};
    MOORING_TRY(attach_mount(covering->get(), target->get(), "masked path " + path));
  }
  return ok();
}

Status make_paths_read_only(int rootfs, const KernelFolders& kernel, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    auto target = open_place(rootfs, kernel, path);
    if (!target) {
      if (absent(target.error())) continue;
      return std::move(target.error());
    }
    auto copy = clone_mount(target->get(), "", true);
    if (!copy) return Error{"make " + path + " read-only: " + copy.error().message, copy.error().code};
    MOORING_TRY(change_mount(copy->get(), {.set = MOUNT_ATTR_RDONLY, .recursive = true}, path));
    MOORING_TRY(attach_mount(copy->get(), target->get(), "read-only path " + path));
  }
  return ok();
}

}  // namespace mooring
