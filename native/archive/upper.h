// An overlay's writable folder, alone or over the layers below it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "archive/arguments.h"
#include "archive/confine.h"
#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

struct Upper {
  UniqueFd folder;
  UniqueFd below;  // nothing, where no layers were given
  std::set<std::string> omitted = {};
  std::optional<int64_t> latest = {};
};

/// Makes the folder that `arguments` name first the root of this process, and shuts it in there. Options: `below` (layers, top first), `omit` (mount points),
/// `latest` (seconds).
Result<Upper> enter_upper(const Arguments& arguments, Access access);

}  // namespace mooring
