// Copies a folder's content into another one, both by descriptors.
#pragma once

#include "result.h"

namespace mooring {

/// Folders, files, links, FIFOs and sockets with owner, mode, times and what user.* and security.capability attributes they have; device nodes where the caller may make them.
/// No symlink is followed, and nothing of another mount is copied.
Status copy_tree(int from, int to);

}  // namespace mooring
