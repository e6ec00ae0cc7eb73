// What the host's root makes ahead for a container that leaves the host's user namespace, or its mounts, before it is set up: there, its rootfs may be out of reach,
// an overlay would be another kind of overlay, and nobody may make device nodes.
#pragma once

#include <vector>

#include "config.h"
#include "devices.h"
#include "result.h"
#include "unique_fd.h"
#include "user_namespace.h"

namespace mooring {

struct HostSide {
  UniqueFd rootfs;             // a detached mount
  std::vector<UniqueFd> lent;  // of the devices; empty without a user namespace
};

/// Whether there must be one.
bool needs_host_side(const Config& config);

/// Moves the calling process into a mount namespace of its own, with root.path as its working folder, and makes it. `user` is the container's user namespace, if it has one.
Result<HostSide> make_host_side(const Config& config, const std::vector<Device>& devices, const UserNamespace* user);

/// The pipes among 0, 1 and 2 belong to who made them; the process's user, here by its id outside, must be able to open /dev/stdout anew.
Status give_pipes(const int (&fds)[3], uid_t owner);

/// The id outside of process.user.uid. `user` may be null.
Result<uid_t> outside_user(const Process& process, const UserNamespace* user);

}  // namespace mooring
