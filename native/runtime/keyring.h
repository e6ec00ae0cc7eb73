// A session keyring for each container: what is kept in the caller's is not the container's to see (keyrings(7)).
#pragma once

#include <string>

#include "result.h"

namespace mooring {

/// Puts the calling process into the container's keyring, which is made at first need. With no id it is a new one without a name.
/// A kernel without keyrings has nothing to keep apart.
Status join_session_keyring(const std::string& container_id);

}  // namespace mooring
