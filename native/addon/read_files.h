// Many small files in one trip to a worker thread.
#pragma once

#include "addon/js.h"

namespace mooring {

/// `(paths) → Promise<({ text } | { errno })[]>`
Napi::Value read_files(const Napi::CallbackInfo& info);

}  // namespace mooring
