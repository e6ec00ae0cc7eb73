// Whose the container's cgroup is: with one of its own to write to, a container can divide what it has among its processes (cgroups(7), "Cgroups delegation").
#pragma once

#include <sys/types.h>

#include "cgroup.h"

namespace mooring {

/// Gives the cgroup of version 2 to the process's user and group, here by their ids outside, where config.json has a cgroup namespace of the container's own and mounts /sys/fs/cgroup writable
/// (config-linux.md, "Cgroup ownership"). Of its files those that the kernel names for this; the limits stay the host's. On version 1, where it is not safe, nothing changes hands.
/// The group too: the runtime itself, once it is in the container's user namespace, can put a process only into what is that namespace's whole.
Status give_cgroup(const Config& config, const Cgroups& cgroups, uid_t owner, gid_t group);

}  // namespace mooring
