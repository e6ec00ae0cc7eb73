#include "archive/upper_cleaner.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <vector>

#include "archive/entry_path.h"
#include "archive/overlay_attributes.h"
#include "runtime/open_in_root.h"

namespace mooring {

namespace {

class Cleaner : public TreeVisitor {
 public:
  explicit Cleaner(std::optional<int64_t> latest) : latest_(latest) {}

  Status enter(const TreeEntry& entry) override {
    if (S_ISDIR(entry.status.st_mode)) return ok();
    if (S_ISSOCK(entry.status.st_mode)) {
      if (::unlink(entry.name.c_str()) != 0) return sys_error("remove the socket \"" + entry.path + "\"");
      return ok();
    }
    return clean(entry);
  }

  Status leave(const TreeEntry& entry) override {
    MOORING_TRY(clean(entry));
    // A socket that went, or an attribute, is no change of the container's.
    const timespec dates[2] = {entry.status.st_atim, clamped(entry.status.st_mtim)};
    return date(entry, dates);
  }

 private:
  Status clean(const TreeEntry& entry) {
    const auto names = attribute_names(entry.name);
    if (!names) return Error{"\"" + entry.path + "\": " + names.error().message, names.error().code};
    for (const std::string& name : *names) {
      const bool private_to_overlay = name.starts_with(kOverlayAttributes) && name != kOpaqueAttribute;
      if (!private_to_overlay && !name.starts_with("system.posix_acl_")) continue;
      if (::lremovexattr(entry.name.c_str(), name.c_str()) != 0 && errno != ENODATA) return sys_error("remove attribute " + name + " of \"" + entry.path + "\"");
    }
    const timespec mtime = clamped(entry.status.st_mtim);
    if (S_ISDIR(entry.status.st_mode) || (mtime.tv_sec == entry.status.st_mtim.tv_sec && mtime.tv_nsec == entry.status.st_mtim.tv_nsec)) return ok();
    const timespec dates[2] = {entry.status.st_atim, mtime};
    return date(entry, dates);
  }

  Status date(const TreeEntry& entry, const timespec (&dates)[2]) {
    if (::utimensat(AT_FDCWD, entry.name.c_str(), dates, AT_SYMLINK_NOFOLLOW) != 0) return sys_error("date \"" + entry.path + "\"");
    return ok();
  }

  timespec clamped(timespec time) const { return latest_ && time.tv_sec >= *latest_ ? timespec{*latest_, 0} : time; }

  const std::optional<int64_t> latest_;
};

/// Removes one path without its folder's date changing.
Status remove_unnoticed(int upper, const std::string& path) {
  const std::string folder = folder_of(path).empty() ? "." : std::string(folder_of(path));
  const auto parent = open_in_root(upper, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!parent) return parent.error();
  struct stat before;
  if (::fstat(parent->get(), &before) != 0) return sys_error("look at \"" + folder + "\"");
  const std::string name(base_of(path));
  if (::unlinkat(parent->get(), name.c_str(), 0) != 0 && ::unlinkat(parent->get(), name.c_str(), AT_REMOVEDIR) != 0) return sys_error("remove the mount point \"" + path + "\"");
  const timespec dates[2] = {before.st_atim, before.st_mtim};
  if (::futimens(parent->get(), dates) != 0) return sys_error("date \"" + folder + "\"");
  return ok();
}

}  // namespace

Status clean_upper(int upper, const std::set<std::string>& omitted, std::optional<int64_t> latest) {
  // What is in a folder is sorted behind it.
  for (auto path = omitted.rbegin(); path != omitted.rend(); ++path) MOORING_TRY(remove_unnoticed(upper, *path));
  Cleaner cleaner(latest);
  return walk_tree({.top = upper}, cleaner);
}

}  // namespace mooring
