// Follows the mount tables of other mount namespaces.
#pragma once

#include "addon/js.h"

namespace mooring {

/// `(pid, onChange) → watch`, or undefined when the process is gone. The watch closes itself when the process ends.
Napi::Value watch_mounts(const Napi::CallbackInfo& info);

}  // namespace mooring
