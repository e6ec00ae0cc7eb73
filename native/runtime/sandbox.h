// A container's first process, born before anybody knows what it will run. What a start spends most of its time on, it has behind it: its parent's exec, its
// namespaces, its cgroups, into which the kernel on version 1 lets a process only after a grace period when the machine has been idle.
#pragma once

#include "launch.h"

namespace mooring {

struct Sandbox {
  Launched process;  // stands in its namespaces and cgroups, and waits
  UniqueFd channel;  // by which it is told what to become; it ends when this is closed
};

/// Makes one in the cgroup `cgroup_path` of every hierarchy, with a namespace of its own of every kind but `user` and `time`. It is a child of the caller.
Result<Sandbox> prepare_sandbox(const std::string& cgroup_path);

/// Has it run the bundle, as launch() does. The bundle must want those namespaces (a network namespace given by path may be in place of its own), that
/// cgroup, and no createRuntime hooks; what else does not fit is an error, and nothing is left of it.
Result<Launched> launch_in(Sandbox sandbox, const LaunchOptions& options);

/// It is not wanted any more. Its cgroups are removed, as far as nothing else has come to be in them.
void discard_sandbox(Sandbox sandbox, const std::string& cgroup_path);

}  // namespace mooring
