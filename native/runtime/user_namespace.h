// User namespaces as things to hold: the container's own, and those that only lend their mapping to an id-mapped mount.
#pragma once

#include <string>

#include "id_map.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

struct UserNamespace {
  UniqueFd handle;
  IdMaps maps;
};

/// A new one with that mapping. Writing the mapping takes CAP_SETUID and CAP_SETGID.
Result<UserNamespace> new_user_namespace(const IdMaps& maps);

/// The one at `path`, with its mapping.
Result<UserNamespace> open_user_namespace(const std::string& path);

/// Makes the calling process, which has joined it, its root: user 0, group 0, no other groups.
Status become_namespace_root();

}  // namespace mooring
