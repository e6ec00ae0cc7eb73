// What the short-lived process between the caller and a container does first.
#pragma once

#include "result.h"

namespace mooring {

/// Fills 0, 1 and 2, refuses to go on from a program file that a container could overwrite, and shuts out tracers.
Status guard_helper();

}  // namespace mooring
