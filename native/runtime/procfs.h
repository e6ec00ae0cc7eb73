// Writes to procfs that an image can't redirect: through a descriptor of the host's own /proc, taken before the container's rootfs is in sight
// (CVE-2019-16884, CVE-2025-52881).
#pragma once

#include <string>
#include <string_view>

#include "config.h"
#include "process.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

/// /proc as a descriptor, verified to be procfs.
Result<UniqueFd> open_procfs();

/// Writes to a file below it; no symlink but procfs's own "self", no mount on the way.
Status write_procfs(int procfs, const std::string& path, std::string_view value);

/// process.oomScoreAdj, of the calling process and those that it makes. Lowering it takes CAP_SYS_RESOURCE; without it `warn` is told, or it is an Error where it is `required`.
Status set_oom_score(int score, bool required, const Warn& warn);

/// Refuses those sysctls that the container's own namespaces don't keep from the host's.
Status check_sysctls(const Config& config);

/// Writes linux.sysctl. The calling process must be in the container's namespaces already.
Status set_sysctls(const Config& config);

}  // namespace mooring
