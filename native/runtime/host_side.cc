#include "host_side.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount_api.h"
#include "rootfs.h"

namespace mooring {
namespace {

// Over each layer lies itself with the container's ids, so that its files belong to the container's users; the upper folder holds them as they are outside.
Status map_layers(const Overlay& overlay, const UserNamespace& user) {
  for (const std::string& layer : overlay.lower) {
    auto mapped = clone_mount(AT_FDCWD, layer, false);
    if (!mapped) return Error{"overlay layer: " + mapped.error().message, mapped.error().code};
    MOORING_TRY(change_mount(mapped->get(), {.user_namespace = user.handle.get()}, "overlay layer " + layer));
    const UniqueFd place(open(layer.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!place) return sys_error("overlay layer " + layer);
    MOORING_TRY(attach_mount(mapped->get(), place.get(), "overlay layer " + layer));
  }
  return ok();
}

}  // namespace

bool needs_host_side(const Config& config) { return config.namespaces.has(CLONE_NEWUSER) || config.namespaces.joined_path(CLONE_NEWNS); }

Result<HostSide> make_host_side(const Config& config, const std::vector<Device>& devices, const UserNamespace* user) {
  if (unshare(CLONE_NEWNS) != 0) return sys_error("unshare the mount namespace");
  if (mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0) return sys_error("make the mount namespace private");
  if (chdir(config.root.path.c_str()) != 0) return sys_error("open root.path " + config.root.path);
  auto place = working_folder();
  if (!place) return std::move(place.error());

  HostSide made;
  if (user) {
    auto lent = lend_devices(devices, user->maps, place->get());
    if (!lent) return std::move(lent.error());
    made.lent = std::move(*lent);
    if (config.root.overlay && config.root.overlay->map_ids) MOORING_TRY(map_layers(*config.root.overlay, *user));
  }
  auto rootfs = mount_rootfs(config.root);
  if (!rootfs) return std::move(rootfs.error());
  // A copy of what lies in this namespace, so that none of it is locked in the container's (mount_namespaces(7)).
  auto detached = clone_mount(rootfs->get(), "", true);
  if (!detached) return Error{"root.path: " + detached.error().message, detached.error().code};
  MOORING_TRY(detach_mount(rootfs->get(), "root.path"));
  made.rootfs = std::move(*detached);
  return made;
}

Status give_pipes(const int (&fds)[3], uid_t owner) {
  for (const int fd : fds) {
    struct stat status;
    if (fd < 0) continue;
    if (fstat(fd, &status) != 0) return sys_error("stat descriptor " + std::to_string(fd));
    if (S_ISFIFO(status.st_mode) && status.st_uid != owner && fchown(fd, owner, static_cast<gid_t>(-1)) != 0) return sys_error("chown descriptor " + std::to_string(fd));
  }
  return ok();
}

Result<uid_t> outside_user(const Process& process, const UserNamespace* user) {
  if (!user) return process.user.uid;
  const auto outside = user->maps.uids.outside(process.user.uid);
  if (!outside) return Error{"process.user.uid: " + std::to_string(process.user.uid) + " is not mapped in the user namespace", EINVAL};
  return *outside;
}

}  // namespace mooring
