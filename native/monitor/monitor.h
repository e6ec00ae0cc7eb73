// One container's parent: makes it, logs what it writes, records how it ended. Outlives the daemon.
#pragma once

#include "monitor/monitor_options.h"

namespace mooring {

/// Returns, with the exit status of the monitor itself, when the container has ended or could not be started.
///
/// No signal but SIGKILL ends a monitor. One that was killed has written no exit.json and leaves a state.json that names a dead monitor, by which the daemon can tell.
/// The container's process may outlive it, unread and without a parent, unless the library ties it to its parent (PR_SET_PDEATHSIG, set after the last change of
/// credentials, which resets it, as does the execve of a set-user-ID program): so whoever finds a dead monitor must look whether `pid` of `startTime` still runs.
int run_monitor(const MonitorOptions& options);

}  // namespace mooring
