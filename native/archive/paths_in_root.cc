#include "archive/paths_in_root.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/entry_path.h"

namespace mooring {

namespace {

constexpr int kOpenFolders = 16;

int remove_one(const char* path, const struct stat*, int type, struct FTW*) { return type == FTW_DP ? ::rmdir(path) : ::unlink(path); }

}  // namespace

Error archive_fault(std::string what) {
  Error error = sys_error(std::move(what));
  const bool ours = error.code == ENOSPC || error.code == EDQUOT || error.code == EIO || error.code == ENOMEM || error.code == EROFS;
  if (!ours) error.code = 0;
  return error;
}

Result<Found> kind_at(const std::string& path) {
  struct stat found;
  if (::lstat(path_or_self(path), &found) != 0) {
    if (errno == ENOENT) return Found::kNothing;
    return archive_fault("look at its place");
  }
  if (S_ISDIR(found.st_mode)) return Found::kFolder;
  return S_ISCHR(found.st_mode) && found.st_rdev == 0 ? Found::kWhiteout : Found::kOther;
}

Status make_folders(std::string_view folder) {
  if (folder.empty()) return ok();
  const std::string path(folder);
  struct stat found;
  if (::stat(path.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode)) return ok();
    return Error{"\"" + path + "\" is no folder"};
  }
  MOORING_TRY(make_folders(folder_of(folder)));
  if (::mkdir(path.c_str(), 0755) != 0) return archive_fault("make its folder \"" + path + "\"");
  return ok();
}

Status remove_tree(const std::string& path) {
  if (::nftw(path.c_str(), remove_one, kOpenFolders, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT) return archive_fault("replace what was there before");
  return ok();
}

}  // namespace mooring
