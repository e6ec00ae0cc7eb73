// One container's parent: makes it, logs what it writes, records how it ended. Outlives the daemon.
#pragma once

#include "monitor/monitor_options.h"

namespace mooring {

/// Returns, with the exit status of the monitor itself, when the container has ended or could not be started.
///
/// No signal but SIGKILL ends a monitor. One that is killed takes the container's process with it, because the library gives that PR_SET_PDEATHSIG;
/// it leaves a state.json that names a dead monitor, and no exit.json, from which the daemon can tell.
int run_monitor(const MonitorOptions& options);

}  // namespace mooring
