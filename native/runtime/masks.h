// linux.maskedPaths and linux.readonlyPaths.
#pragma once

#include <string>
#include <vector>

#include "result.h"

namespace mooring {

/// Covers files with the null device and folders with an empty read-only tmpfs. What the rootfs lacks needs no mask.
Status mask_paths(int rootfs, const std::vector<std::string>& paths);

/// Makes each path, with what is mounted below it, read-only.
Status make_paths_read_only(int rootfs, const std::vector<std::string>& paths);

}  // namespace mooring
