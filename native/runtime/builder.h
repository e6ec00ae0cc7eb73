// The short-lived process between launch() and the container.
#pragma once

#include "launch.h"

namespace mooring {

/// Reads the bundle, makes the cgroups and gives birth to the container's first process as a child of its own parent. Never returns.
[[noreturn]] void run_builder(int channel, const LaunchOptions& options);

}  // namespace mooring
