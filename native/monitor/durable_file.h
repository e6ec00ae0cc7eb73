// Small files that are either the old one or the new one, whenever the power goes.
#pragma once

#include <string>
#include <string_view>

#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

Result<UniqueFd> open_folder(const std::string& path);

/// Writes `text` and a newline to a temporary file, and puts it in the place of `name`: temp, fsync, rename, fsync of the folder.
Status replace_file(const UniqueFd& folder, const std::string& name, std::string_view text);

/// No error when it is not there.
Status remove_file(const UniqueFd& folder, const std::string& name);

/// Writes all of it, whatever number of calls that takes.
Status write_all(int fd, std::string_view text);

}  // namespace mooring
