// Staying with a process: its signals, its terminal, its end.
#pragma once

#include <sys/types.h>

#include "runtime/result.h"

namespace mooring::oci {

/// Signals are kept for stay_with() from here on. Comes before the process is made.
void hold_signals();

/// Forwards signals to the child `pid`; with `console` (a pty's master, else -1) also this terminal's input, output and size. Returns its exit code, or 128 + signal.
Result<int> stay_with(pid_t pid, int console);

}  // namespace mooring::oci
