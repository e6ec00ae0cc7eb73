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

/// Opens a new pty in the devpts at the rootfs's /dev/pts and mounts its terminal on /dev/console.
/// Goes by descriptors only: nothing in /dev/pts is looked up by name, so nothing can be swapped in between (CVE-2025-52565).
Result<Console> make_console(int rootfs, const Process& process);

}  // namespace mooring
