// A container that is about to be: what `create`, `run` and `restore` begin with.
#pragma once

#include "command.h"

namespace mooring::oci {

/// The container of operand 0 and --bundle, with its folder, which the lock keeps to the caller.
/// Error where there is one already (EEXIST).
Result<ContainerLock> begin_container(const Context& context, const Arguments& arguments, Container& container);

/// Where its cgroups are to be, and its scope of systemd's if it gets one.
Status find_cgroup(const Context& context, const Config& config, Container& container);

/// Keeps what config.json says at this time for the commands that come later, and saves the state.
Status keep_config(const Config& config, Container& container);

}  // namespace mooring::oci
