// What is done to a container's cgroups while it runs and when it is gone. `path` is that below every hierarchy (cgroup_path_of).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "config.h"
#include "result.h"

namespace mooring {

/// The processes in the container's cgroups and those below, ascending, in the caller's pid namespace.
Result<std::vector<pid_t>> processes_in(const std::string& path);

/// Sends a signal to all of them; with SIGKILL until none is left.
Status signal_all(const std::string& path, int signal);

/// Removes the cgroups and those below; waits, with a bound, for killed processes to leave. One that is not there is no error.
Status remove_cgroups(const std::string& path);

/// Freezes or thaws, and waits until the kernel has done so.
Status set_frozen(const std::string& path, bool frozen);
Result<bool> is_frozen(const std::string& path);

/// The folder, on the host, of the hierarchy that freezes.
Result<std::string> freezer_folder(const std::string& path);

/// Writes those limits that are given, but no device rules. Zero and "" stand for "as it is", as engines write them.
Status update_limits(const std::string& path, const Resources& resources);

}  // namespace mooring
