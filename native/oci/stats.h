// What `events` prints of a container's cgroups, in runc's shape.
#pragma once

#include <string>

#include "container.h"

namespace mooring::oci {

/// One line of JSON: {"type":"stats","id":…,"data":{…}}. Read from cgroupfs alone.
Result<std::string> stats_line(const Container& container);

/// The folder that counts the container's OOM kills; an Error where no memory controller is.
Result<std::string> memory_cgroup_of(const Container& container);

}  // namespace mooring::oci
