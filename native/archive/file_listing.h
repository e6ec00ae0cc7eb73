// Files, told of in JSON: one object a line.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "runtime/result.h"

namespace mooring {

/// The line of what has `name` in the folder `dir`, with its newline: name, mode (all of st_mode), uid, gid, size, mtime (seconds and nanoseconds), and of
/// a symbolic link where it leads.
std::string file_line(int dir, std::string_view name, const struct stat& status);

Status write_all(int fd, std::string_view text);

}  // namespace mooring
