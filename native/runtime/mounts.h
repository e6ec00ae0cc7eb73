// config.json's `mounts`, into the rootfs.
#pragma once

#include <vector>

#include "cgroup.h"
#include "config.h"
#include "masks.h"
#include "result.h"
#include "unique_fd.h"
#include "user_namespace.h"

namespace mooring {

/// Puts the container's mounts in place: the host's part in the builder, the rest in the container's namespaces.
class Mounts {
 public:
  explicit Mounts(const Config& config) : config_(config), mounts_(config.mounts) {}

  /// Copies the sources of bind mounts. Comes while the calling process has the host's mounts and rights: "slave" and "shared" stay tied to the host's,
  /// and a container in a user namespace may not be able to reach them. `own` is the container's user namespace, if it has one.
  Status take_sources(const UserNamespace* own);

  /// Mounts everything below `rootfs`, in order.
  Status attach(int rootfs, const std::vector<PlacedCgroup>& cgroups);

  /// The procfs at /proc and the sysfs at /sys that were attached.
  KernelFolders kernel_folders() const { return {proc_.get(), sys_.get()}; }

  /// Makes read-only what had to be writable while mount points and devices were made in it.
  Status finish();

  /// Whether /dev is the container's own (not a bind of some other folder), so that the default nodes belong in it.
  bool owns_dev() const;

 private:
  Status attach_one(const Mount& mount, std::size_t index, int rootfs, const std::vector<PlacedCgroup>& cgroups);
  Result<UniqueFd> new_file_system(const Mount& mount, int covered);  // -1: the mount point was made for it, and has no mode to hand on

  Status take_source(std::size_t index, const UserNamespace* own);

  const Config& config_;
  const std::vector<Mount>& mounts_;
  std::vector<UniqueFd> sources_;  // by index; empty where no bind mount
  std::vector<UniqueFd> read_only_later_;
  UniqueFd proc_, sys_;
};

}  // namespace mooring
