// The container's own first process that is not the image's program: spec.init, annotation dev.mooring.init.
#pragma once

#include "result.h"
#include "unique_fd.h"

namespace mooring {

/// native/init as a sealed memfd: no file of the host's, and none that anybody can change (CVE-2019-5736).
Result<UniqueFd> open_init_program();

/// Returns in a child, which is to run the image's program; the calling process becomes the init that waits for it. The child leads a session of its own, and `terminal`
/// on its descriptor 0 controls that. Should the init fail to run, launch()'s caller hears of it over `channel` (-1: nobody does). Works below the container's seccomp filter, if that lets pass what any init needs.
Status stay_behind_as_init(const UniqueFd& program, bool terminal, int channel);

}  // namespace mooring
