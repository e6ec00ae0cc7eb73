// Mounts an overlay of a container's writable folder over its image's layers.
#pragma once

#include <string>

#include "config.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

/// Mounts `overlay` on the folder `target`; `label` names that in errors. Without an upper folder it is read-only. The descriptor stands for its root.
/// What a writer changes lies in the upper folder whole: no renamed folder that only points to where it was, no file of attributes alone.
Result<UniqueFd> mount_overlay(const Overlay& overlay, const std::string& target, const std::string& label);

}  // namespace mooring
