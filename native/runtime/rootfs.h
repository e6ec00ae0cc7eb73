// The container's "/": mounted in the container's own mount namespace, so that the host's mount table never holds it and it goes with the container.
#pragma once

#include "config.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

/// Mounts the rootfs (an overlay, or a bind of root.path onto itself) at root.path. The descriptor stands for its "/".
Result<UniqueFd> mount_rootfs(const Root& root);

/// Puts `rootfs`, a detached mount, there instead. `place` is a descriptor of the folder root.path in the calling process's mount namespace.
Status attach_rootfs(int rootfs, int place, const Root& root);

/// Makes `rootfs` the calling process's "/" and lets go of the host's (pivot_root(2)).
Status enter_rootfs(int rootfs);

}  // namespace mooring
