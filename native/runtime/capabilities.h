// Capability sets of the container's process (capabilities(7)).
#pragma once

#include <string_view>

#include "config.h"
#include "process.h"
#include "result.h"

namespace mooring {

/// "CAP_NET_RAW" → 13; -1 for an unknown name.
int capability_number(std::string_view name);

/// 13 → "CAP_NET_RAW".
std::string_view capability_name(int number);

/// The process's sets without what can't be granted: names that are unknown, what this host's own bounding set lacks, and in ambient what is not in permitted and
/// inheritable too. `warn` is told of each (config.md, "capabilities"); where they are `required` that is an Error.
Result<CapabilitySets> grantable(const Process& process, bool required, const Warn& warn);

/// Drops what the bounding set must not hold. Needs CAP_SETPCAP, so it comes before the switch of user.
Status limit_bounding_set(const CapabilitySets& sets);

/// Sets the other four. Follows the switch of user, with "keep capabilities" on.
Status set_capabilities(const CapabilitySets& sets);

}  // namespace mooring
