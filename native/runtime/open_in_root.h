// Paths of the container, resolved by the kernel as if the rootfs were "/" (openat2(2), RESOLVE_IN_ROOT): an image's symlinks and ".." stay inside.
#pragma once

#include <linux/openat2.h>
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "result.h"
#include "unique_fd.h"

namespace mooring {

/// Opens `path` below the folder `root`. Magic links (/proc/self/exe and its like) are never followed. `resolve` adds RESOLVE_* flags.
Result<UniqueFd> open_in_root(int root, const std::string& path, int flags, uint64_t resolve = 0);

enum class Kind { folder, file };

/// An O_PATH descriptor of `path` below `root`; what is missing of it is made (folders 0755, an empty file 0644), also where a symlink leads to nothing yet.
Result<UniqueFd> make_in_root(int root, const std::string& path, Kind kind);

/// The same for a folder of which no part may be a symlink.
Result<UniqueFd> make_plain_folder_in_root(int root, const std::string& path);

/// The parent of `path` as a descriptor (made if missing) and the last component. `resolve` adds RESOLVE_* flags.
struct Entry {
  UniqueFd folder;
  std::string name;
};
Result<Entry> make_parent_in_root(int root, const std::string& path, uint64_t resolve = 0);

/// An O_PATH descriptor of what is there, which must be no symlink; an empty file (0644) is made where nothing is.
Result<UniqueFd> make_file(const Entry& entry, const std::string& path);

/// "/proc/self/fd/7", for the calls that take paths only.
std::string fd_path(int fd);

}  // namespace mooring
