// The runtime's own program file, out of containers' reach (CVE-2019-5736).
#pragma once

#include "result.h"

namespace mooring {

/// Runs the program again from a detached, read-only mount of its own file; does nothing where it already runs from a read-only mount. First thing in main().
///
/// Until its execve the container's first process is a copy of this program, and an image can make it run /proc/self/exe: then the container holds a link to our file.
/// Through that mount the file can't be opened for writing by anyone, and as the mount is in no namespace nobody can make it writable again. Costs one exec and no memory,
/// unlike a copy in a memfd; nothing where the one who starts us does so through such a mount already.
Status rerun_read_only(char* const argv[]);

/// Whether that holds for the calling process.
Result<bool> runs_read_only();

}  // namespace mooring
