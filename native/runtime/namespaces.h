// Joining namespaces by path, and the first steps inside new ones.
#pragma once

#include "config.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

/// The namespace at a path; an Error where there is none, or one of another type.
Result<UniqueFd> open_namespace(const JoinedNamespace& wanted);

/// Joins those given by path, but the user namespace, which takes the right to join the others away. Joined pid and time namespaces hold for the children (setns(2)).
/// A joined mount namespace comes last: then no path means anything of the caller's own.
Status join_namespaces(const Namespaces& namespaces);

/// A new time namespace for the children, with those offsets. They can only be set before a process is in it (time_namespaces(7)).
Status unshare_time(const std::vector<TimeOffset>& offsets);

/// Brings "lo" up in the calling process's network namespace; a new one has it down.
Status raise_loopback();

/// hostname and domainname, where given.
Status set_names(const Config& config);

}  // namespace mooring
