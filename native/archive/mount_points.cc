#include "archive/mount_points.h"

#include <fcntl.h>

#include <algorithm>

#include "archive/entry_path.h"
#include "archive/tree_walk.h"
#include "runtime/open_in_root.h"

namespace mooring {

namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

/// Every name in the folder is in `omitted`.
Result<bool> holds_nothing_else(int upper, const std::string& folder, const std::set<std::string>& omitted) {
  const auto opened = open_in_root(upper, folder, kFolder);
  if (!opened) return false;
  const auto names = names_in(opened->get());
  if (!names) return names.error();
  return std::all_of(names->begin(), names->end(), [&](const std::string& name) { return omitted.contains(folder + "/" + name); });
}

bool look(int root, const std::string& path, struct stat& status) {
  const auto found = open_in_root(root, path, O_PATH | O_NOFOLLOW);
  return found && ::fstat(found->get(), &status) == 0;
}

bool was_made_for_a_mount(int upper, int below, const std::string& folder) {
  struct stat here;
  struct stat there;
  if (!look(upper, folder, here)) return false;
  if (below >= 0 && look(below, folder, there) && !is_whiteout(there)) return same_rights(here, there);
  return here.st_mode == (S_IFDIR | 0755) && here.st_uid == 0 && here.st_gid == 0;
}

}  // namespace

Result<std::set<std::string>> empty_mount_points(int upper, int below, const std::vector<std::string>& mount_points) {
  std::set<std::string> omitted;
  // The deepest come first, so that a folder is judged after all in it.
  std::vector<std::string> pending(mount_points);
  std::sort(pending.begin(), pending.end(), [](const std::string& a, const std::string& b) { return std::ranges::count(a, '/') > std::ranges::count(b, '/'); });
  std::set<std::string> parents;
  for (const std::string& path : pending) {
    struct stat status;
    if (!look(upper, path, status)) continue;
    if (S_ISREG(status.st_mode) ? status.st_size != 0 : !S_ISDIR(status.st_mode)) continue;
    if (S_ISDIR(status.st_mode)) {
      const auto empty = holds_nothing_else(upper, path, omitted);
      if (!empty) return empty.error();
      if (!*empty) continue;
    }
    // One that the layers below have as well is here because the container changed it.
    struct stat there;
    if (below >= 0 && look(below, path, there) && !is_whiteout(there) && !(S_ISDIR(status.st_mode) && same_rights(status, there))) continue;
    omitted.insert(path);
    for (std::string_view folder = folder_of(path); !folder.empty(); folder = folder_of(folder)) parents.emplace(folder);
  }
  std::vector<std::string> folders(parents.begin(), parents.end());
  std::sort(folders.begin(), folders.end(), [](const std::string& a, const std::string& b) { return std::ranges::count(a, '/') > std::ranges::count(b, '/'); });
  for (const std::string& folder : folders) {
    const auto empty = holds_nothing_else(upper, folder, omitted);
    if (!empty) return empty.error();
    if (*empty && was_made_for_a_mount(upper, below, folder)) omitted.insert(folder);
  }
  return omitted;
}

}  // namespace mooring
