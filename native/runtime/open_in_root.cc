#include "open_in_root.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <climits>
#include <deque>
#include <vector>

namespace mooring {
namespace {

// openat2 gives EAGAIN where a rename anywhere on the machine raced with a ".." in the path.
constexpr int most_attempts = 256;

constexpr int most_links = 40;  // as path_resolution(7) has it

int openat2_in_root(int root, const char* path, int flags, uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve;
  for (int attempt = 1;; ++attempt) {
    const long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN || attempt == most_attempts) return static_cast<int>(fd);
  }
}

// Its parts but "" and ".".
std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < path.size();) {
    std::size_t end = path.find('/', at);
    if (end == std::string::npos) end = path.size();
    std::string part = path.substr(at, end - at);
    at = end + 1;
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
  }
  return parts;
}

// Without "..", lexically: a folder that does not exist has no other parent.
std::vector<std::string> components(const std::string& path) {
  std::vector<std::string> parts;
  for (std::string& part : split(path)) {
    if (part != "..") parts.push_back(std::move(part));
    else if (!parts.empty()) parts.pop_back();
  }
  return parts;
}

// Opens or makes one folder; an O_NOFOLLOW step, so that a symlink swapped in meanwhile is an error and never followed.
Result<UniqueFd> step_into(int folder, const std::string& name, const std::string& path) {
  if (mkdirat(folder, name.c_str(), 0755) != 0 && errno != EEXIST) return sys_error("make folder " + path + " in the rootfs (at " + name + ")");
  UniqueFd next(openat(folder, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!next) return sys_error("make folder " + path + " in the rootfs (at " + name + ")");
  return next;
}

// The folder made of the first `count` parts: the longest existing beginning is resolved by the kernel, the rest is made.
Result<UniqueFd> make_folders(int root, const std::vector<std::string>& parts, std::size_t count, const std::string& path, uint64_t resolve) {
  std::size_t existing = count;
  UniqueFd folder;
  for (;; --existing) {
    std::string prefix = "/";
    for (std::size_t i = 0; i < existing; ++i) prefix += parts[i] + "/";
    folder.reset(openat2_in_root(root, prefix.c_str(), O_PATH | O_DIRECTORY, resolve));
    if (folder) break;
    if (errno != ENOENT || existing == 0) return sys_error("open " + prefix + " in the rootfs");
  }
  for (; existing < count; ++existing) {
    auto next = step_into(folder.get(), parts[existing], path);
    if (!next) return next;
    folder = std::move(*next);
  }
  return folder;
}

// Where the kernel finds that something is missing: goes on from there step by step and makes it, also behind a symlink that leads to nothing yet, as an image's
// /etc/resolv.conf may be. Each step is from a folder that is held to a name in it that is no symlink, so that none swapped in meanwhile leads out of the root.
class Walk {
 public:
  Walk(int root, const std::string& path) : root_(root), path_(path) {
    for (std::string& part : components(path)) left_.push_back(std::move(part));
  }

  Result<UniqueFd> make(Kind kind) {
    while (!left_.empty()) {
      const std::string name = std::move(left_.front());
      left_.pop_front();
      if (name == "..") {
        if (!way_.empty()) way_.pop_back();
        continue;
      }
      UniqueFd next(openat(here(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      if (!next && errno == ENOENT && left_.empty() && kind == Kind::file) return make_file({hold(), name}, path_);
      if (!next && errno == ENOENT) {
        auto made = step_into(here(), name, path_);
        if (!made) return made;
        next = std::move(*made);
      }
      struct stat status;
      if (!next || fstat(next.get(), &status) != 0) return sys_error("open " + path_ + " in the rootfs (at " + name + ")");
      if (S_ISLNK(status.st_mode)) {
        MOORING_TRY(follow(next.get()));
        continue;
      }
      if (left_.empty() && !S_ISDIR(status.st_mode)) return next;
      way_.push_back(std::move(next));
    }
    UniqueFd folder = hold();
    if (!folder) return sys_error("open " + path_ + " in the rootfs");
    return folder;
  }

 private:
  int here() const { return way_.empty() ? root_ : way_.back().get(); }
  UniqueFd hold() const { return UniqueFd(fcntl(here(), F_DUPFD_CLOEXEC, 3)); }

  Status follow(int link) {
    char target[PATH_MAX];
    struct statfs system;
    const ssize_t length = readlinkat(link, "", target, sizeof target);
    if (length < 0 || fstatfs(link, &system) != 0) return sys_error("read a symlink on the way to " + path_ + " in the rootfs");
    if (++links_ > most_links || system.f_type == PROC_SUPER_MAGIC) return Error{path_ + " in the rootfs leads through too many symlinks, or one of procfs", ELOOP};
    const std::string to(target, static_cast<std::size_t>(length));
    if (to.starts_with('/')) way_.clear();
    const auto parts = split(to);
    left_.insert(left_.begin(), parts.begin(), parts.end());
    return ok();
  }

  const int root_;
  const std::string& path_;
  std::deque<std::string> left_;
  std::vector<UniqueFd> way_;  // from the root to here
  int links_ = 0;
};

}  // namespace

Result<UniqueFd> open_in_root(int root, const std::string& path, int flags, uint64_t resolve) {
  UniqueFd fd(openat2_in_root(root, path.c_str(), flags, resolve));
  if (!fd) return sys_error("open " + path + " in the rootfs");
  return fd;
}

Result<Entry> make_parent_in_root(int root, const std::string& path, uint64_t resolve) {
  const auto parts = components(path);
  if (parts.empty()) return Error{"\"" + path + "\" names the rootfs itself", EINVAL};
  auto folder = make_folders(root, parts, parts.size() - 1, path, resolve);
  if (!folder) return std::move(folder.error());
  return Entry{std::move(*folder), parts.back()};
}

Result<UniqueFd> make_file(const Entry& entry, const std::string& path) {
  UniqueFd handle(openat(entry.folder.get(), entry.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!handle && errno == ENOENT) {
    const UniqueFd made(openat(entry.folder.get(), entry.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!made) return sys_error("make file " + path + " in the rootfs");
    // Looked up again from the file itself, not from its name.
    handle.reset(open(fd_path(made.get()).c_str(), O_PATH | O_CLOEXEC));
  }
  struct stat status;
  if (!handle || fstat(handle.get(), &status) != 0) return sys_error("open " + path + " in the rootfs");
  if (S_ISLNK(status.st_mode)) return Error{path + " in the rootfs is a symlink", ELOOP};
  return handle;
}

Result<UniqueFd> make_plain_folder_in_root(int root, const std::string& path) {
  const auto parts = components(path);
  auto folder = make_folders(root, parts, parts.size(), path, RESOLVE_NO_SYMLINKS);
  if (!folder && folder.error().code == ELOOP) return Error{path + " must be an ordinary folder in the rootfs, and is a symlink", ELOOP};
  if (!folder && folder.error().code == ENOTDIR) return Error{path + " must be an ordinary folder in the rootfs, and is a file", ENOTDIR};
  return folder;
}

Result<UniqueFd> make_in_root(int root, const std::string& path, Kind kind) {
  UniqueFd existing(openat2_in_root(root, path.c_str(), O_PATH, 0));
  if (existing) return existing;
  if (errno != ENOENT) return sys_error("open " + path + " in the rootfs");
  return Walk(root, path).make(kind);
}

std::string fd_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

}  // namespace mooring
