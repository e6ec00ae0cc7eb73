// One container's parent: makes it, logs what it writes, records how it ended. Outlives the daemon.
#pragma once

#include "monitor/monitor_options.h"

namespace mooring {

/// Returns, with the exit status of the monitor itself, when the container has ended or could not be started.
///
/// No signal but SIGKILL ends a monitor. One that was killed has written no exit.json and leaves a state.json that names a dead monitor, by which the daemon can tell.
/// The container's process dies with it, unless it ran a set-user-ID program without no_new_privs (prctl(2), PR_SET_PDEATHSIG): so whoever finds a dead monitor
/// must still look whether `pid` of `startTime` runs.
int run_monitor(const MonitorOptions& options);

}  // namespace mooring
