// What the container's process is before it runs the image's program: limits, identity, folder; and the step into that program.
#pragma once

#include <functional>
#include <string>

#include "config.h"
#include "result.h"

namespace mooring {

/// Every signal's action and the mask as a new program expects them; the caller's handlers, ignored signals and mask are its own affair.
Status reset_signals();

/// Told what this host can't give as asked.
using Warn = std::function<void(const std::string&)>;

/// A hard limit above this process's own takes CAP_SYS_RESOURCE. Without it the limit is lifted as far as it goes, and `warn` is told; where it is `required` that is an Error.
Status set_rlimits(const std::vector<Rlimit>& limits, bool required, const Warn& warn);

/// Lifts the calling process's hard limits to those, as far as they are above its own: what a user namespace keeps its processes from. What fails, set_rlimits() tells.
void raise_hard_limits(const std::vector<Rlimit>& limits);

/// Groups, group, user, in this order (each needs a right that the next takes away). Capabilities outlive it until they are set.
Status switch_user(const User& user);

/// chdir, and proof that the folder is inside the container's root (CVE-2024-21626).
Status enter_folder(const std::string& cwd);

/// The file that args[0] names, looked up as runc does: through the PATH of process.env, unless it holds a slash.
/// Error: `exec: "foo": executable file not found in $PATH` (ENOENT), `exec: "/x": permission denied` (EACCES), …
Result<std::string> find_program(const Process& process);

/// Runs the program; returns only on failure.
Error run_program(const std::string& program, const Process& process);

}  // namespace mooring
