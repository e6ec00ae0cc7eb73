// When and where the container's process gets the CPU and the disk: process.scheduler, process.ioPriority, process.execCPUAffinity.
#pragma once

#include "process_config.h"
#include "result.h"

namespace mooring {

/// Policy and I/O priority, of the calling process. A real-time one takes CAP_SYS_NICE in the host's user namespace.
Status set_scheduling(const Process& process);

/// All that the calling process's cgroups allow: what its caller is bound to (a service manager's CPUAffinity, taskset(1)) is no limit of the container's.
Status allow_all_cpus();

/// `field` names the list in errors.
Status set_cpus(const cpu_set_t& cpus, const char* field);

}  // namespace mooring
