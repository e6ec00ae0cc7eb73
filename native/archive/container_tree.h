// A container's files, as this process's whole world.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "archive/arguments.h"
#include "archive/confine.h"
#include "runtime/result.h"

namespace mooring {

/// The options by which commands are told of a container.
std::vector<std::string> container_options();

/// Makes the container's tree the root of this process, and shuts it in there. `arguments` say which it is:
///   --pid P --start-time T  one that runs, by its first process: what that has mounted, but for /proc, /sys and /dev
///   --lower L… --upper U --work W [--read-only yes] [--bind SOURCE --part PATH --at PATH --access ro|rw]…  one that does not, with its bind mounts; "" or the part of SOURCE that is shown
/// No path is looked up twice and none outside the container's root, so whatever happens in the container meanwhile, no other file can be met. Reading
/// leaves the writable folder alone. `mounts` says whether mounts on the container's root are seen. No device can be opened.
Status enter_container(const Arguments& arguments, Access access, bool mounts);

}  // namespace mooring
