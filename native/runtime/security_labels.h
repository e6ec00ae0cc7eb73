// process.apparmorProfile, process.selinuxLabel and linux.mountLabel, where the host's kernel has these modules.
#pragma once

#include "config.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

/// Refuses a label for a module that this host's kernel does not run.
Status check_security_labels(const Process& process, const std::string& mount_label);

/// The host's procfs, by which the labels are set where the image's /proc may be anything; empty where there are none to set.
Result<UniqueFd> open_for_labels(const Process& process);

/// What the calling process's next execve makes of it.
Status set_security_labels(int procfs, const Process& process);

}  // namespace mooring
