// Being told of out-of-memory kills in a container, by the kernel, without polling.
#pragma once

#include <string>

#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring::oci {

/// Readable when there may have been one: an eventfd (version 1, memory.oom_control) or an inotify descriptor (version 2, memory.events).
struct OomWatch {
  UniqueFd fd;
  unsigned long seen = 0;

  /// Empties the descriptor, and says how many there have been since it was last asked.
  Result<unsigned long> count(const std::string& memory_cgroup);
};

Result<OomWatch> watch_oom(const std::string& memory_cgroup);

}  // namespace mooring::oci
