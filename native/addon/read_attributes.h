// Extended attributes of many files in one trip to a worker thread.
#pragma once

#include "addon/js.h"

namespace mooring {

/// `(paths) → Promise<({ [name]: Buffer } | { errno })[]>`: of the file itself where it is a symbolic link (xattr(7)).
Napi::Value read_attributes(const Napi::CallbackInfo& info);

}  // namespace mooring
