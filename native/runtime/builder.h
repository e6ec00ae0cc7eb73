// The short-lived process between launch() and the container.
#pragma once

#include "init.h"
#include "launch.h"

namespace mooring {

/// Reads the bundle, makes the cgroups and gives birth to the container's first process as a child of its own parent. Never returns.
[[noreturn]] void run_builder(int channel, const LaunchOptions& options);

// Parts of it, which a sandbox's birth shares.

/// What config.json says, with the seccomp filter it asks for.
Status read_plan(InitPlan& plan, const std::string& bundle);

/// What is prepared with the host's mounts and rights: the out-of-memory score, the owner of pipes and cgroup, the sources of bind mounts. Follows read_plan() and the user namespace.
Status gather(InitPlan& plan, const LaunchOptions& options);

/// clone3 into new namespaces, the pid one among them, and into the cgroup of version 2, as a child of the caller's own parent, who waits for it. 0 in the child.
Result<pid_t> clone_process(int namespaces, const Cgroups& cgroups, UniqueFd& pidfd);

/// With the caller gone, the process is killed: it must not stay.
Status tell_started(int channel, pid_t pid, const UniqueFd& pidfd, const Cgroups& cgroups);

}  // namespace mooring
