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

/// Docker's list of changes: what was added (A), changed (C) and deleted (D), in the order of their names.
class Changes : public TreeVisitor {
 public:
  Status enter(const TreeEntry& entry) override {
    if (entry.path.empty()) return ok();
    const struct stat& status = entry.status;
    if (is_whiteout(status)) return note('D', entry.path);
    if (!entry.has_below) return note('A', entry.path);
    // A folder made again in the place of one that was deleted.
    if (S_ISDIR(status.st_mode) && S_ISDIR(entry.below.st_mode) && !is_opaque(entry.name) && unchanged(status, entry.below)) return ok();
    return note('C', entry.path);
  }

  Status flush() {
    MOORING_TRY(write_all(STDOUT_FILENO, lines_));
    lines_.clear();
    return ok();
  }

  long long count() const { return count_; }

 private:
  /// A folder is in the upper layer already because of what changed in it.
  static bool unchanged(const struct stat& here, const struct stat& below) {
    return same_rights(here, below) && here.st_size == below.st_size && here.st_mtim.tv_sec == below.st_mtim.tv_sec && here.st_mtim.tv_nsec == below.st_mtim.tv_nsec;
  }

  Status note(char kind, const std::string& path) {
    // What was added or deleted changed its folder, whatever that looks like.
    const std::string folder(folder_of(path));
    if (kind != 'C' && !folder.empty() && told_.insert(folder).second) MOORING_TRY(write('C', folder));
    told_.insert(path);
    return write(kind, path);
  }

  Status write(char kind, const std::string& path) {
    ++count_;
    lines_ += JsonObject().text("kind", {&kind, 1}).text("path", "/" + path).str() + "\n";
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
