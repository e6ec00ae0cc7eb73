// What makes a process a monitor: it belongs to nobody's terminal, folder or descriptors, nobody but CAP_SYS_PTRACE looks into it, and no signal but SIGKILL ends it.
#pragma once

#include "runtime/result.h"

namespace mooring {

/// Keeps only the descriptors from `first` to `last` open, with 0, 1 and 2 on /dev/null. The session is the spawner's to make.
Status detach(int first, int last);

/// Asks the kernel to look for other victims first when memory runs out. Only once the container's process is there, which would inherit it.
void avoid_oom_killer();

}  // namespace mooring
