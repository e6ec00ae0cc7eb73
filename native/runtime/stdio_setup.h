// Descriptors 0, 1 and 2 of the container's process.
#pragma once

#include "config.h"
#include "launch.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

struct Stdio {
  UniqueFd fds[3];
  UniqueFd console;  // the pty's master, with process.terminal
};

/// The terminal of a new pty, or what the caller gave, or the container's /dev/null. While the host's /proc is still in sight.
Result<Stdio> open_stdio(int rootfs, const Process& process, const LaunchOptions& options);

/// Puts them in place; a terminal becomes the controlling one. The caller must be a session leader.
Status take_stdio(Stdio stdio, const Process& process);

}  // namespace mooring
