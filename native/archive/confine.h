// Shuts this process in with one folder, before it reads a byte that a stranger wrote.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

/// What remains possible once a process is shut in.
enum class Access { kRead, kWrite };

/// New namespaces of mounts, network, IPC and names; no mount made in them is seen outside.
Status leave_host();

/// A mount of `folder` alone, on itself: no devices, no programs, and read-only unless `access` says otherwise.
Result<UniqueFd> mount_alone(const std::string& folder, Access access);

/// Makes `root`, a mount, the root and the working directory of a process that has left the host, and takes every other mount away. No new privileges,
/// only the capabilities and system calls that reading, or writing, files of any kind and owner takes, bounded memory and file size.
/// The process dies with its parent. Standard streams and open descriptors stay as they are. `begin` is called when all but the filter of system calls is in place,
/// which then holds for every thread.
Status confine(int root, Access access, uint64_t max_file_bytes, const std::function<Status()>& begin = ok);

}  // namespace mooring
