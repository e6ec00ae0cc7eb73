// The kernel's mount API by descriptors (fsopen(2), open_tree(2), move_mount(2), mount_setattr(2)): a mount is made detached, finished, and only then attached
// to a place that was resolved before, so that no path is looked up twice.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "result.h"
#include "unique_fd.h"

namespace mooring {

struct FsOption {
  std::string key;
  std::string value;
  bool flag = false;  // has no value
};

/// "size=64k" → {size, 64k}; "newinstance" → a flag.
FsOption fs_option(const std::string& text);

/// A new, detached mount of a file system. `attributes` are MOUNT_ATTR_*. Errors carry what the file system itself said.
Result<UniqueFd> new_mount(const std::string& type, const std::string& source, const std::vector<FsOption>& options, uint64_t attributes);

/// A detached copy of the mount at `path` (below `dir`; "" for `dir` itself), with the mounts below it where `recursive`.
Result<UniqueFd> clone_mount(int dir, const std::string& path, bool recursive);

struct MountChange {
  uint64_t set = 0;
  uint64_t clear = 0;
  uint64_t propagation = 0;
  bool recursive = false;
  int user_namespace = -1;  // to be id-mapped by; the mount must be detached
};
Status change_mount(int mount, const MountChange& change, const std::string& label);

/// The calling process's working folder as a place to mount on, whether or not it may look into it.
Result<UniqueFd> working_folder();

/// Puts a detached mount onto what `target` (O_PATH) stands for.
Status attach_mount(int mount, int target, const std::string& label);

/// Takes an attached mount, by a descriptor of its root, off its place; who holds it open keeps it.
Status detach_mount(int mount, const std::string& label);

}  // namespace mooring
