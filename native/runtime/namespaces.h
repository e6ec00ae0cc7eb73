// Joining namespaces by path, and the first steps inside new ones.
#pragma once

#include "config.h"
#include "result.h"

namespace mooring {

/// Joins those given by path. A joined pid namespace holds for the children only (setns(2)).
Status join_namespaces(const Namespaces& namespaces);

/// Brings "lo" up in the calling process's network namespace; a new one has it down.
Status raise_loopback();

/// hostname and domainname, where given.
Status set_names(const Config& config);

}  // namespace mooring
