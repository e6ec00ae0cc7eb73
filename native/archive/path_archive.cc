#include "archive/path_archive.h"

#include <fcntl.h>
#include <unistd.h>

#include "archive/place.h"
#include "archive/tar_writer.h"
#include "archive/tree_walk.h"
#include "runtime/unique_fd.h"

namespace mooring {

namespace {
constexpr uint64_t kMaxDepth = 2048;
}  // namespace

Result<PackTally> pack_path(const std::string& path, const std::string& name, int out) {
  const auto place = find(path);
  if (!place) return place.error();
  TarWriter tar({.out = out});
  TreePacker packer(tar, {.name = name});
  if (S_ISDIR(place->status.st_mode)) {
    const UniqueFd folder(::openat(place->folder.get(), place->name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!folder) return at(path, "open it");
    MOORING_TRY(walk_tree({.top = folder.get()}, packer));
  } else {
    if (::fchdir(place->folder.get()) != 0) return sys_error("enter the folder of " + path);
    MOORING_TRY(packer.enter({"", place->name, place->status, false, {}, -1}));
  }
  MOORING_TRY(tar.finish());
  return packer.tally();
}

Result<Tally> unpack_into(const std::string& folder, ArchiveSource& source, Owners owners) {
  if (::chdir(folder.c_str()) != 0) return at(folder, "open it as a folder");
  return source.unpack({UINT64_MAX, UINT64_MAX, UINT64_MAX, kMaxDepth}, {.layer = false, .keeps_kinds = true, .owners = owners});
}

}  // namespace mooring
