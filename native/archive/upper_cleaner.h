// Makes an overlay's writable folder what unpacking its own archive would make, so that it can be a layer as it is.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "archive/tree_walk.h"

namespace mooring {

/// Removes `omitted`, sockets, and the attributes that no archive keeps; dates nothing later than `latest`. Nobody else may use the folder.
Status clean_upper(int upper, const std::set<std::string>& omitted, std::optional<int64_t> latest);

}  // namespace mooring
