// A bind of a part of a folder whose content the container writes, such as a volume.
#pragma once

#include <string>

#include "result.h"
#include "unique_fd.h"

namespace mooring {

/// A detached copy of the mount at `path` below the folder `source`, which is resolved as if `source` were "/": no link in it leads out. A folder is made
/// where nothing is.
Result<UniqueFd> clone_mount_below(const std::string& source, const std::string& path, bool recursive);

}  // namespace mooring
