#include <fcntl.h>
#include <unistd.h>

#include <set>

#include "archive/commands.h"
#include "archive/entry_path.h"
#include "archive/file_listing.h"
#include "archive/overlay_attributes.h"
#include "archive/tree_walk.h"
#include "archive/upper.h"

namespace mooring {

namespace {

/// Docker's list of changes: what was added (A), changed (C) and deleted (D), in no order. A folder is changed by what is in it, and by its mode and owner, not by its date.
class Changes : public TreeVisitor {
 public:
  Status enter(const TreeEntry& entry) override {
    if (entry.path.empty()) return ok();
    const struct stat& status = entry.status;
    if (is_whiteout(status)) return note('D', entry.path);
    if (!entry.has_below) return note('A', entry.path);
    // That something was written to is no change where it is as before.
    if (!unchanged(status, entry.below)) MOORING_TRY(note('C', entry.path));
    if (S_ISDIR(status.st_mode) && S_ISDIR(entry.below.st_mode) && is_opaque(entry.name)) return note_hidden(entry);
    return ok();
  }

  Status flush() {
    MOORING_TRY(write_all(STDOUT_FILENO, lines_));
    lines_.clear();
    return ok();
  }

  long long count() const { return count_; }

 private:
  static bool unchanged(const struct stat& here, const struct stat& below) {
    if (!same_rights(here, below) || here.st_rdev != below.st_rdev) return false;
    return S_ISDIR(here.st_mode) || (here.st_size == below.st_size && here.st_mtim.tv_sec == below.st_mtim.tv_sec && here.st_mtim.tv_nsec == below.st_mtim.tv_nsec);
  }

  /// A folder made again in the place of one that was deleted: what was in that, and is not in this.
  Status note_hidden(const TreeEntry& entry) {
    const UniqueFd below(::openat(entry.below_folder, entry.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!below) return sys_error("open \"" + entry.path + "\" of the layers below");
    const auto names = names_in(below.get());
    if (!names) return names.error();
    for (const std::string& name : *names) {
      struct stat status;
      if (::lstat((entry.name + "/" + name).c_str(), &status) != 0 && errno == ENOENT) MOORING_TRY(note('D', entry.path + "/" + name));
    }
    return ok();
  }

  Status note(char kind, const std::string& path) {
    // What changed in a folder changed that.
    for (std::string_view folder = folder_of(path); !folder.empty() && told_.emplace(folder).second; folder = folder_of(folder)) MOORING_TRY(write('C', folder, true));
    told_.insert(path);
    return write(kind, path);
  }

  /// `implied`: only by what is in it.
  Status write(char kind, std::string_view path, bool implied = false) {
    ++count_;
    JsonObject line;
    line.text("kind", {&kind, 1}).text("path", "/" + std::string(path));
    if (implied) line.boolean("implied", true);
    lines_ += line.str() + "\n";
    return lines_.size() < 65536 ? ok() : flush();
  }

  std::set<std::string> told_;
  std::string lines_;
  long long count_ = 0;
};

}  // namespace

Status changes(const Arguments& arguments, JsonObject& report) {
  const auto upper = enter_upper(arguments, Access::kRead);
  if (!upper) return upper.error();
  Changes changes;
  MOORING_TRY(walk_tree({.top = upper->folder.get(), .below = upper->below.get(), .omitted = upper->omitted}, changes));
  MOORING_TRY(changes.flush());
  report.number("changes", changes.count());
  return ok();
}

}  // namespace mooring
