// config.json's `mounts`, into the rootfs.
#pragma once

#include <vector>

#include "cgroup.h"
#include "config.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

/// Puts the container's mounts in place, in two steps around making the namespace private.
class Mounts {
 public:
  explicit Mounts(const std::vector<Mount>& mounts) : mounts_(mounts) {}

  /// Copies the sources of bind mounts. Comes before the namespace's mounts are made private, so that "slave" and "shared" stay tied to the host's.
  Status take_sources();

  /// Mounts everything below `rootfs`, in order.
  Status attach(int rootfs, const std::vector<PlacedCgroup>& cgroups);

  /// Makes read-only what had to be writable while mount points and devices were made in it.
  Status finish();

  /// Whether /dev is the container's own (not a bind of some other folder), so that the default nodes belong in it.
  bool owns_dev() const;

 private:
  Status attach_one(const Mount& mount, std::size_t index, int rootfs, const std::vector<PlacedCgroup>& cgroups);
  Result<UniqueFd> new_file_system(const Mount& mount, int target);

  const std::vector<Mount>& mounts_;
  std::vector<UniqueFd> sources_;  // by index; empty where no bind mount
  std::vector<UniqueFd> read_only_later_;
};

}  // namespace mooring
