// What is at a path of the layer, and making and removing it. The process's root is the layer's, so the kernel itself keeps every link inside.
#pragma once

#include <string>
#include <string_view>

#include "runtime/result.h"

namespace mooring {

enum class Found { kNothing, kFolder, kWhiteout, kOther };

/// The path for a system call: "" is the working directory itself, the root of what is written.
inline const char* path_or_self(const std::string& path) { return path.empty() ? "." : path.c_str(); }

/// An Error from errno that is the archive's fault (its code is 0), unless it is the disk that failed.
Error archive_fault(std::string what);

/// Links are not followed at the last component.
Result<Found> kind_at(const std::string& path);

/// mkdir -p, mode 0755.
Status make_folders(std::string_view folder);

/// rm -r, which never leaves the layer. What is not there is no error.
Status remove_tree(const std::string& path);

}  // namespace mooring
