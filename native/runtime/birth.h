// How a process of a container is made, so that its caller stays small for as long as the container lives.
//
//   caller ──fork──> builder: parses JSON, compiles seccomp, makes cgroups; some hundred kB of heap that end with it
//     │                 └─clone3(CLONE_PARENT, …)─> the process: enters its namespaces, drops rights, execve
//     └── hears from both over one socket; is the parent of both
//
// The caller itself allocates next to nothing. A thread, or vfork, would leave the parser's heap in it.
#pragma once

#include <functional>

#include "launch.h"
#include "result.h"
#include "sandbox.h"

namespace mooring {

/// Runs `build`, which must not return, in a fork with one end of the channel, and waits until its child has passed execve. `what` names that child in errors.
Result<Launched> give_birth_by(const std::function<void(int channel)>& build, const std::string& what);

// The same in two steps, for a process that waits in between: `prepare_by` returns once it stands, `conclude` once it has passed execve.
Result<Sandbox> prepare_by(const std::function<void(int channel)>& build, const std::string& what);
Result<Launched> conclude(Sandbox sandbox, const Status& ordered, const std::string& what);
void end_unwanted(Sandbox sandbox);

}  // namespace mooring
