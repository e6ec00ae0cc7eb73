// Spawns monitors and hears their first word.
#pragma once

#include "addon/js.h"

namespace mooring {

/// The descriptor on which a spawned monitor finds its status pipe.
constexpr int kStatusFd = 3;

/// `(binary, arguments) → Promise<{ report } | { ended }>`: the line that the monitor wrote to its status pipe, or in words how it ended without one.
/// The arguments are those behind the binary's name. Rejects with an Error that has `code` when the binary can't be spawned.
Napi::Value spawn_monitor(const Napi::CallbackInfo& info);

}  // namespace mooring
