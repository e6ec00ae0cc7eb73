#include "archive/tree_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "runtime/unique_fd.h"

namespace mooring {

namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
/// Two descriptors each; a path of that many folders is beyond what a system call takes.
constexpr size_t kMaxDepth = 2048;

struct CloseListing {
  void operator()(DIR* listing) const { ::closedir(listing); }
};

bool is_gone(const Error& error) { return error.code == ENOENT || error.code == ENOTDIR || error.code == ELOOP; }

class Walker {
 public:
  Walker(const Walk& walk, TreeVisitor& visitor) : walk_(walk), visitor_(visitor) {}

  Status top() {
    if (::fchdir(walk_.top) != 0) return sys_error("enter the tree");
    TreeEntry entry{"", ".", {}, false, {}, walk_.below};
    if (::fstat(walk_.top, &entry.status) != 0) return sys_error("look at the tree");
    entry.has_below = walk_.below >= 0 && ::fstat(walk_.below, &entry.below) == 0;
    MOORING_TRY(visitor_.enter(entry));
    MOORING_TRY(children(walk_.top, walk_.below, "", 0));
    return visitor_.leave(entry);
  }

 private:
  Status children(int folder, int below, const std::string& path, size_t depth) {
    if (depth >= kMaxDepth) return Error{"\"" + path.substr(0, 200) + "…\" lies more than " + std::to_string(kMaxDepth) + " folders deep"};
    const auto names = names_in(folder);
    if (!names) return Error{"list \"" + path + "\": " + names.error().message, names.error().code};
    for (const std::string& name : *names) {
      std::string child = path.empty() ? name : path + "/" + name;
      if (walk_.omitted.contains(child)) continue;
      MOORING_TRY(one(folder, below, name, std::move(child), depth));
    }
    return ok();
  }

  Status one(int folder, int below, const std::string& name, std::string path, size_t depth) {
    TreeEntry entry{std::move(path), name, {}, false, {}, below};
    if (::fstatat(AT_FDCWD, name.c_str(), &entry.status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return ok();
      return sys_error("look at \"" + entry.path + "\"");
    }
    entry.has_below = below >= 0 && ::fstatat(below, name.c_str(), &entry.below, AT_SYMLINK_NOFOLLOW) == 0 && !is_whiteout(entry.below);
    MOORING_TRY(visitor_.enter(entry));
    if (!S_ISDIR(entry.status.st_mode)) return ok();

    const UniqueFd inner(::openat(AT_FDCWD, name.c_str(), kFolder));
    if (!inner) {
      Error error = sys_error("open \"" + entry.path + "\"");
      if (is_gone(error)) return ok();
      return error;
    }
    const UniqueFd inner_below(entry.has_below && S_ISDIR(entry.below.st_mode) ? ::openat(below, name.c_str(), kFolder) : -1);
    if (::fchdir(inner.get()) != 0) return sys_error("enter \"" + entry.path + "\"");
    MOORING_TRY(children(inner.get(), inner_below.get(), entry.path, depth + 1));
    if (::fchdir(folder) != 0) return sys_error("go back from \"" + entry.path + "\"");
    return visitor_.leave(entry);
  }

  const Walk& walk_;
  TreeVisitor& visitor_;
};

}  // namespace

Result<std::set<std::string>> names_in(int folder) {
  UniqueFd own(::openat(folder, ".", kFolder));  // with a position of its own
  if (!own) return sys_error("open it");
  const std::unique_ptr<DIR, CloseListing> listing(::fdopendir(own.get()));
  if (!listing) return sys_error("read it");
  own.release();
  std::set<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(listing.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.insert(name);
  }
  if (errno != 0 && errno != ENOENT) return sys_error("read it");
  return names;
}

bool same_rights(const struct stat& one, const struct stat& other) {
  return one.st_mode == other.st_mode && one.st_uid == other.st_uid && one.st_gid == other.st_gid;
}

Status walk_tree(const Walk& walk, TreeVisitor& visitor) { return Walker(walk, visitor).top(); }

}  // namespace mooring
