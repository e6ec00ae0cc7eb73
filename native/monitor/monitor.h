// One container's parent: makes it, logs what it writes, records how it ended. Outlives the daemon.
#pragma once

#include <optional>

#include "monitor/monitor_options.h"
#include "monitor/status_pipe.h"
#include "runtime/sandbox.h"

namespace mooring {

/// Returns, with the exit status of the monitor itself, when the container has ended or could not be started.
///
/// No signal but SIGKILL ends a monitor. One that was killed has written no exit.json and leaves a state.json that names a dead monitor, by which the daemon can tell.
/// The container's process dies with it, unless it ran a set-user-ID program without no_new_privs (prctl(2), PR_SET_PDEATHSIG): so whoever finds a dead monitor
/// must still look whether `pid` of `startTime` runs.
int run_monitor(const MonitorOptions& options);

/// The same in a process that is detached, of a container whose first process is there; taken out of `sandbox` once it has been told what to run.
int run_monitor_in(std::optional<Sandbox>& sandbox, const MonitorOptions& options, StatusPipe& status);

}  // namespace mooring
