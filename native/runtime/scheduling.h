// When and where the container's process gets the CPU and the disk: process.scheduler, process.ioPriority, process.execCPUAffinity.
#pragma once

#include "process_config.h"
#include "result.h"

namespace mooring {

/// Policy and I/O priority, of the calling process. A real-time one takes CAP_SYS_NICE in the host's user namespace.
Status set_scheduling(const Process& process);

/// `field` names the list in errors.
Status set_cpus(const cpu_set_t& cpus, const char* field);

}  // namespace mooring
