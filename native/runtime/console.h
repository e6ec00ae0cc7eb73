// The container's terminal: a pty of its own devpts.
#pragma once

#include "config.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

struct Console {
  UniqueFd master;
  UniqueFd terminal;
};

/// A new pty in the devpts at the rootfs's /dev/pts. Goes by descriptors only: nothing in /dev/pts is looked up by name, so nothing can be swapped in between (CVE-2025-52565).
/// The host's /proc must be in sight. `owner` is the process's user in the calling process's user namespace.
Result<Console> open_pty(int rootfs, const Process& process, uid_t owner);

/// The same, and mounts its terminal on /dev/console.
Result<Console> make_console(int rootfs, const Process& process);

}  // namespace mooring
