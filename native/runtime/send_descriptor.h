// A descriptor to another process, over a unix socket (unix(7), SCM_RIGHTS).
#pragma once

#include <string_view>

#include "result.h"
#include "unique_fd.h"

namespace mooring {

/// Connects to the stream socket at `path`; `label` names it in errors.
Result<UniqueFd> connect_to(const std::string& path, const std::string& label);

/// One message of `bytes`, which must not be empty, and `fd`. Errors: "<label>: …".
Status send_descriptor(int socket, std::string_view bytes, int fd, const std::string& label);

}  // namespace mooring
