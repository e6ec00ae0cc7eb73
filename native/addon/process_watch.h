// Follows processes by pidfd.
#pragma once

#include "addon/js.h"

namespace mooring {

/// `(pid, startTime, onExit) → watch`, or undefined when no such process is alive. A watch is a number, good until it is closed or has called back.
Napi::Value watch_process(const Napi::CallbackInfo& info);

/// `(watch, signal) → boolean`: false when the process is gone.
Napi::Value signal_process(const Napi::CallbackInfo& info);

}  // namespace mooring
