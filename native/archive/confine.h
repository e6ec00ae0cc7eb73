// Shuts this process in with one folder, before it reads a byte that a stranger wrote.
#pragma once

#include <cstdint>

#include "runtime/result.h"

namespace mooring {

/// Makes `folder` the root and the working directory, in a mount namespace where nothing else is mounted; no network, no new privileges,
/// only the capabilities and system calls that writing files of any kind and owner takes, bounded memory and file size.
/// The process dies with its parent. Standard streams stay as they are.
Status confine(const char* folder, uint64_t max_file_bytes);

}  // namespace mooring
