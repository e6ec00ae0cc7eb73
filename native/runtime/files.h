// Whole small files of procfs, sysfs, cgroupfs and bundles in one call.
#pragma once

#include <string>
#include <string_view>

#include "result.h"

namespace mooring {

/// The content of `path` below the folder `dir` (or AT_FDCWD). An Error where it is longer than `most` bytes.
Result<std::string> read_file(int dir, const std::string& path, std::size_t most = 1 << 20);

/// One write(2) of `value` into an existing file, as kernel interfaces want it. `label` names the file in the Error.
Status write_file(int dir, const std::string& path, std::string_view value, const std::string& label);

}  // namespace mooring
