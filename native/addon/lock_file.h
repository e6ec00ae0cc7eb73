// A lock that the kernel gives back however its holder ends.
#pragma once

#include "addon/js.h"

namespace mooring {

/// `(fd) → boolean`: takes the exclusive lock of that open file (flock(2)), held until the descriptor is closed. False where another process has it. Does not wait.
Napi::Value lock_file(const Napi::CallbackInfo& info);

}  // namespace mooring
