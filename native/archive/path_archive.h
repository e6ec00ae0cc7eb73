// What is at a path as an archive, and an archive's entries into a folder, once the process is shut in with both.
#pragma once

#include <string>

#include "archive/archive_source.h"
#include "archive/tree_packer.h"
#include "runtime/result.h"

namespace mooring {

/// Writes what is at `path`, a folder with all that is in it, to `out` as an archive that calls it `name`.
Result<PackTally> pack_path(const std::string& path, const std::string& name, int out);

/// Puts all of an archive into an existing folder. A folder in the place of something else, or the other way round, is refused.
Result<Tally> unpack_into(const std::string& folder, ArchiveSource& source, Owners owners);

}  // namespace mooring
