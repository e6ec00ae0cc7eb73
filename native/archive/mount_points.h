// Tells what a runtime made in a container's writable folder, to mount something on, from what the container made there.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "runtime/result.h"

namespace mooring {

/// Of `mount_points` (relative to the folder `upper`, without links), those that are empty there, and with them the folders that hold nothing else and
/// are as below, or are nowhere below and as a runtime makes them. `below` is -1 where nothing is.
Result<std::set<std::string>> empty_mount_points(int upper, int below, const std::vector<std::string>& mount_points);

}  // namespace mooring
