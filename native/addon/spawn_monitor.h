// Spawns monitors and hears what they say.
#pragma once

#include "addon/js.h"

namespace mooring {

/// `(binary, arguments) → Promise<{ report } | { ended }>`: the line that the monitor wrote to its status pipe, or in words how it ended without one.
/// The arguments are those behind the binary's name. Rejects with an Error that has `code` when the binary can't be spawned.
Napi::Value spawn_monitor(const Napi::CallbackInfo& info);

/// The same of a monitor that stands by: `{ report, watch }`, where it waits for its order. The watch keeps the environment alive until it is ordered or dismissed.
Napi::Value prepare_monitor(const Napi::CallbackInfo& info);

/// `(watch, arguments) → Promise<{ report } | { ended }>`: tells it what it is to be the monitor of. Once. Undefined where it has ended while it stood by.
Napi::Value order_monitor(const Napi::CallbackInfo& info);

/// `(watch)`: it is not wanted any more, and ends. Idempotent.
void dismiss_monitor(const Napi::CallbackInfo& info);

}  // namespace mooring
