// A folder of the host, as this process's whole world.
#pragma once

#include <string>

#include "archive/confine.h"
#include "runtime/result.h"

namespace mooring {

/// Makes a folder, with what is mounted below it, the root of this process, and shuts it in there. `identity` is "DEVICE:INODE" of what the caller sees at `path`:
/// where that is something else here, or nothing, the error's code is ESTALE.
Status enter_host_folder(const std::string& path, const std::string& identity, Access access);

}  // namespace mooring
