// linux.maskedPaths and linux.readonlyPaths.
#pragma once

#include <string>
#include <vector>

#include "result.h"

namespace mooring {

/// The container's procfs and sysfs by descriptors of their roots, -1 where it has none: a path below /proc or /sys is looked up in these,
/// whatever somebody who shares the rootfs has put in their place meanwhile (CVE-2025-31133).
struct KernelFolders {
  int proc = -1;
  int sys = -1;
};

/// Covers files with the null device and folders with an empty read-only tmpfs. What the rootfs lacks needs no mask.
Status mask_paths(int rootfs, const KernelFolders& kernel, const std::vector<std::string>& paths);

/// Makes each path, with what is mounted below it, read-only.
Status make_paths_read_only(int rootfs, const KernelFolders& kernel, const std::vector<std::string>& paths);

}  // namespace mooring
