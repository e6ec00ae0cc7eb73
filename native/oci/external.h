// What of a container is not its own and so not in its checkpoint: mounts of the host's files, its cgroups, a network namespace that was made for it, the ends
// of its stdio. At the dump CRIU is told to leave them out, by a name; at the restore, what stands for that name.
#pragma once

#include "container.h"
#include "criu.h"
#include "runtime/cgroup.h"

namespace mooring::oci {

/// An Error (EINVAL) names the field of config.json that CRIU can't take along, or that the runtime can't give it.
Status check_external(const Config& config);

/// `--external` for all of a running container but its stdio, whose kinds go into the images' descriptors.json.
Status leave_out(const Container& container, const Config& config, CriuCall& call);

/// `--external` and `--inherit-fd` for a container that is to be: its own places, and for 0, 1 and 2 the caller's. What must stay open meanwhile is in `held`.
Status put_in(const Config& config, const std::vector<PlacedCgroup>& cgroups, CriuCall& call, std::vector<UniqueFd>& held);

}  // namespace mooring::oci
