// Descriptors 0, 1 and 2 of the container's process.
#pragma once

#include "config.h"
#include "console.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

struct Stdio {
  UniqueFd fds[3];
  UniqueFd console;  // the pty's master, with process.terminal
};

/// `pty`'s terminal where it has one, else what the caller gave (-1: the container's /dev/null). While the host's /proc is still in sight.
Result<Stdio> open_stdio(int rootfs, Console pty, const int (&given)[3]);

/// Puts them in place.
Status take_stdio(Stdio stdio);

/// Makes the terminal on descriptor 0 the controlling one. The caller must be a session leader.
Status take_terminal();

}  // namespace mooring
