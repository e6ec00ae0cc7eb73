// Device nodes in the rootfs: those that every container has, and linux.devices.
#pragma once

#include <vector>

#include "config.h"
#include "id_map.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

/// linux.devices, and of null zero full random urandom tty those that it does not list.
std::vector<Device> container_devices(const Config& config);

/// Their nodes as mounts, each empty where the container makes the node itself (a FIFO): in a user namespace nobody may make device nodes, so the host lends them.
/// Owners are those that `maps` gives. Needs a mount namespace of the calling process's own, in which it mounts on `place` for a moment.
Result<std::vector<UniqueFd>> lend_devices(const std::vector<Device>& devices, const IdMaps& maps, int place);

/// Makes the nodes in the rootfs, or binds those that are lent (empty: none are). A node that is there already with the same type and numbers stays.
Status make_devices(int rootfs, const std::vector<Device>& devices, const std::vector<UniqueFd>& lent);

/// The links ptmx fd stdin stdout stderr in the container's /dev.
Status make_device_links(int rootfs);

/// The container's /dev/null, checked to be the real one (1:3) and no impostor from the image (CVE-2025-31133).
Result<UniqueFd> open_null(int rootfs);

}  // namespace mooring
