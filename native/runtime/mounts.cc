#include "mounts.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>

#include "cgroup_mount.h"
#include "copy_tree.h"
#include "mount_api.h"
#include "open_in_root.h"
#include "sub_path.h"

namespace mooring {
namespace {

std::string label_of(const Mount& mount, std::size_t index) { return "mounts[" + std::to_string(index) + "] (" + mount.destination + ")"; }

Error in_mount(const Mount& mount, std::size_t index, Error error) {
  error.message = label_of(mount, index) + ": " + error.message;
  return error;
}

bool is_folder(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

bool on_procfs(int fd) {
  struct statfs status;
  return fstatfs(fd, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

// A mount inside procfs can hide what masks and security modules rely on (CVE-2019-16884). These files are what lxcfs provides.
bool allowed_in_proc(const std::string& destination) {
  constexpr const char* files[] = {"/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
                                   "/proc/loadavg", "/proc/slabinfo", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled"};
  return std::any_of(std::begin(files), std::end(files), [&](const char* file) { return destination == file; });
}

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// procfs and sysfs go onto an ordinary folder only: an image's symlink there would leave /proc itself uncovered, and with it the masks (CVE-2023-27561).
// So does /dev: what a link there leads to may be covered by a later mount of a folder of the host's, in which devices would then be made (CVE-2026-47766).
bool wants_plain_folder(const Mount& mount, const std::string& destination) { return (!mount.bind && (mount.type == "proc" || mount.type == "sysfs")) || destination == "/dev"; }

// "remount": what is mounted there stays, its flags change.
Status change_flags(const Mount& mount, int target) {
  MOORING_TRY(change_mount(target, {.set = mount.recursive_set, .clear = mount.recursive_clear, .recursive = true}, mount.destination));
  return change_mount(target, {.set = mount.set, .clear = mount.clear, .propagation = mount.propagation, .recursive = mount.recursive_propagation}, mount.destination);
}

}  // namespace

Status Mounts::take_source(std::size_t index, const UserNamespace* own) {
  const Mount& mount = mounts_[index];
  auto source = mount.sub_path.empty() ? clone_mount(AT_FDCWD, mount.source, mount.recursive_bind) : clone_mount_below(mount.source, mount.sub_path, mount.recursive_bind);
  if (!source) return std::move(source.error());
  const int fd = source->get();
  if (mount.ids != MountIds::plain) {
    UserNamespace lent;
    if (!mount.maps.empty()) {
      auto made = new_user_namespace(mount.maps);
      if (!made) return std::move(made.error());
      lent = std::move(*made);
    }
    const int handle = mount.maps.empty() ? own->handle.get() : lent.handle.get();
    MOORING_TRY(change_mount(fd, {.recursive = mount.ids == MountIds::mapped_recursively, .user_namespace = handle}, mount.source));
  }
  // Without a word of its own a mount is tied to the host's as linux.rootfsPropagation says, and not at all without that.
  const unsigned long of_rootfs = config_.rootfs_propagation & ~static_cast<unsigned long>(MS_REC);
  const unsigned long propagation = mount.propagation ? mount.propagation : of_rootfs ? of_rootfs : static_cast<unsigned long>(MS_PRIVATE);
  const bool everywhere = mount.recursive_bind && (mount.recursive_propagation || !mount.propagation);
  MOORING_TRY(change_mount(fd, {.propagation = propagation, .recursive = everywhere}, mount.source));
  MOORING_TRY(change_mount(fd, {.set = mount.recursive_set, .clear = mount.recursive_clear, .recursive = true}, mount.source));
  MOORING_TRY(change_mount(fd, {.set = mount.set, .clear = mount.clear}, mount.source));
  sources_[index] = std::move(*source);
  return ok();
}

Status Mounts::take_sources(const UserNamespace* own) {
  sources_.resize(mounts_.size());
  for (std::size_t i = 0; i < mounts_.size(); ++i) {
    if (!mounts_[i].bind) continue;
    auto taken = take_source(i, own);
    if (!taken) return in_mount(mounts_[i], i, std::move(taken.error()));
  }
  return ok();
}

Result<UniqueFd> Mounts::new_file_system(const Mount& mount, int covered) {
  std::vector<FsOption> options;
  bool has_mode = false;
  for (const std::string& text : mount.data) {
    options.push_back(fs_option(text));
    has_mode = has_mode || options.back().key == "mode";
  }
  if (struct stat status; mount.type == "tmpfs" && !has_mode && covered >= 0 && fstat(covered, &status) == 0) {
    // Like the folder that it covers: /tmp stays open to all, /run does not become so.
    char mode[8];
    snprintf(mode, sizeof mode, "%o", static_cast<unsigned>(status.st_mode & 07777));
    options.push_back({"mode", mode});
  }
  const bool of_kernel = mount.type == "proc" || mount.type == "sysfs";
  if (!config_.mount_label.empty() && !of_kernel) options.push_back({"context", config_.mount_label});
  const bool later = mount.type == "tmpfs" && (mount.set & MOUNT_ATTR_RDONLY);
  auto made = new_mount(mount.type, mount.source.empty() ? mount.type : mount.source, options,
                        (mount.set | mount.recursive_set) & ~static_cast<uint64_t>(later ? MOUNT_ATTR_RDONLY : 0));
  if (!made || !later) return made;
  UniqueFd handle(fcntl(made->get(), F_DUPFD_CLOEXEC, 3));
  if (!handle) return sys_error("copy a descriptor");
  read_only_later_.push_back(std::move(handle));
  return made;
}

Status Mounts::attach_one(const Mount& mount, std::size_t index, int rootfs, const std::vector<PlacedCgroup>& cgroups) {
  const std::string destination = without_trailing_slash(mount.destination);
  const bool api = mount.type == "proc" || mount.type == "sysfs";
  const Kind kind = mount.bind && !is_folder(sources_[index].get()) ? Kind::file : Kind::folder;
  const bool covers = mount.type == "tmpfs" && open_in_root(rootfs, destination, O_PATH);
  auto target = wants_plain_folder(mount, destination) ? make_plain_folder_in_root(rootfs, destination) : make_in_root(rootfs, destination, kind);
  if (!target) return std::move(target.error());
  if (is_folder(target->get()) != (kind == Kind::folder))
    return Error{kind == Kind::folder ? "the rootfs has a file there, but a folder is to be mounted" : "the rootfs has a folder there, but a file is to be mounted", ENOTDIR};
  struct stat root_status, target_status;
  if (fstat(rootfs, &root_status) != 0 || fstat(target->get(), &target_status) != 0) return sys_error("stat the mount point");
  if (root_status.st_ino == target_status.st_ino && root_status.st_dev == target_status.st_dev) return Error{"is the rootfs itself", EINVAL};
  if (on_procfs(target->get()) && !api && !allowed_in_proc(destination)) return Error{"nothing may be mounted inside procfs", EPERM};
  if (destination == "/proc" && mount.type != "proc" && !(mount.bind && on_procfs(sources_[index].get()))) return Error{"only procfs may be mounted there", EPERM};

  if (mount.remount) return change_flags(mount, target->get());
  if (mount.bind) return attach_mount(sources_[index].get(), target->get(), destination);
  if (mount.type == "cgroup" || mount.type == "cgroup2") return mount_cgroups(mount, target->get(), cgroups);
  auto made = new_file_system(mount, covers ? target->get() : -1);
  if (!made) return std::move(made.error());
  if (mount.copy_up) MOORING_TRY(copy_tree(target->get(), made->get()));
  MOORING_TRY(change_mount(made->get(), {.propagation = mount.propagation, .recursive = mount.recursive_propagation}, destination));
  MOORING_TRY(attach_mount(made->get(), target->get(), destination));
  if (mount.type == "proc" && destination == "/proc") proc_ = std::move(*made);
  if (mount.type == "sysfs" && destination == "/sys") sys_ = std::move(*made);
  return ok();
}

Status Mounts::attach(int rootfs, const std::vector<PlacedCgroup>& cgroups) {
  for (std::size_t i = 0; i < mounts_.size(); ++i) {
    auto attached = attach_one(mounts_[i], i, rootfs, cgroups);
    if (!attached) return in_mount(mounts_[i], i, std::move(attached.error()));
    sources_[i].reset();
  }
  return ok();
}

Status Mounts::finish() {
  for (const UniqueFd& mount : read_only_later_) MOORING_TRY(change_mount(mount.get(), {.set = MOUNT_ATTR_RDONLY}, "a read-only tmpfs"));
  read_only_later_.clear();
  return ok();
}

bool Mounts::owns_dev() const {
  return std::none_of(mounts_.begin(), mounts_.end(), [](const Mount& mount) { return mount.bind && without_trailing_slash(mount.destination) == "/dev"; });
}

}  // namespace mooring
