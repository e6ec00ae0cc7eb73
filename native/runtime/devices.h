// Device nodes in the rootfs: those that every container has, and linux.devices.
#pragma once

#include <vector>

#include "config.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

/// null zero full random urandom tty, the links ptmx fd stdin stdout stderr, in the container's /dev.
Status make_default_devices(int rootfs);

/// linux.devices. A node that is there already with the same type and numbers stays.
Status make_devices(int rootfs, const std::vector<Device>& devices);

/// The container's /dev/null, checked to be the real one (1:3) and no impostor from the image (CVE-2025-31133).
Result<UniqueFd> open_null(int rootfs);

}  // namespace mooring
