// The parent of one more process in a container: serves its streams, records how it ended. Outlives the daemon, not the container.
#pragma once

#include "monitor/exec_options.h"

namespace mooring {

/// Returns, with the exit status of the monitor itself, when the process has ended or could not be started.
///
/// The process waits with its output until the first client has come, for ten seconds, where one is awaited, and then for whoever does not read; without a client, what it writes is lost.
int run_exec_monitor(const ExecMonitorOptions& options);

}  // namespace mooring
