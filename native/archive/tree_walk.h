// Walks a tree of files that a stranger made, in an order that depends on nothing but the names.
#pragma once

#include <sys/stat.h>

#include <set>
#include <string>

#include "runtime/result.h"

namespace mooring {

/// One thing in the tree. While a visitor is asked, the working directory is the folder that holds it.
struct TreeEntry {
  std::string path;  // relative to the top; "" for the top itself
  std::string name;  // in the working directory; "." for the top itself
  struct stat status;
  bool has_below;     // whether the tree below shows something under the same path
  struct stat below;  // what
  int below_folder;   // the folder there that would hold it; -1 for none
};

class TreeVisitor {
 public:
  virtual ~TreeVisitor() = default;
  /// A folder comes before what is in it.
  virtual Status enter(const TreeEntry& entry) = 0;
  /// A folder once more, after all that is in it.
  virtual Status leave(const TreeEntry&) { return ok(); }
};

struct Walk {
  int top = -1;
  int below = -1;  // a tree to compare with; -1 for none
  std::set<std::string> omitted = {};  // paths that are passed over with all below them
};

/// Siblings come in the order of their names' bytes. No link is followed. What vanishes meanwhile is passed over. Changes the working directory.
Status walk_tree(const Walk& walk, TreeVisitor& visitor);

/// A deleted name: a character device 0:0 (kernel, filesystems/overlayfs, "whiteouts and opaque directories").
inline bool is_whiteout(const struct stat& status) { return S_ISCHR(status.st_mode) && status.st_rdev == 0; }

/// The names in a folder, without "." and "..", sorted by their bytes.
Result<std::set<std::string>> names_in(int folder);

/// Mode and owner are the same.
bool same_rights(const struct stat& one, const struct stat& other);

}  // namespace mooring
