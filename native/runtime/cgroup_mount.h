// A mount of type "cgroup": what the container sees of its own control groups.
#pragma once

#include <vector>

#include "cgroup.h"
#include "config.h"
#include "result.h"

namespace mooring {

/// Shows the container its own cgroups at `target`: the v2 folder itself, or on v1 a tmpfs with one folder a hierarchy. Comes while the host's mounts are still in sight.
Status mount_cgroups(const Mount& mount, int target, const std::vector<PlacedCgroup>& cgroups);

}  // namespace mooring
