#include "open_in_root.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

namespace mooring {
namespace {

// openat2 gives EAGAIN where a rename anywhere on the machine raced with a ".." in the path.
constexpr int most_attempts = 256;

int openat2_in_root(int root, const char* path, int flags, uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve;
  for (int attempt = 1;; ++attempt) {
    const long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN || attempt == most_attempts) return static_cast<int>(fd);
  }
}

std::vector<std::string> components(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < path.size();) {
    std::size_t end = path.find('/', at);
    if (end == std::string::npos) end = path.size();
    std::string part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    // Lexical, so that what is made below never holds "..": a folder that does not exist has no other parent.
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else {
      parts.push_back(std::move(part));
    }
  }
  return parts;
}

// Opens or makes one folder; an O_NOFOLLOW step, so that a symlink swapped in meanwhile is an error and never followed.
Result<UniqueFd> step_into(const UniqueFd& folder, const std::string& name, const std::string& path) {
  if (mkdirat(folder.get(), name.c_str(), 0755) != 0 && errno != EEXIST) return sys_error("make folder " + path + " in the rootfs (at " + name + ")");
  UniqueFd next(openat(folder.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
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
    auto next = step_into(folder, parts[existing], path);
    if (!next) return next;
    folder = std::move(*next);
  }
  return folder;
}

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
  const auto parts = components(path);
  if (kind == Kind::folder) return make_folders(root, parts, parts.size(), path, 0);
  auto entry = make_parent_in_root(root, path);
  if (!entry) return std::move(entry.error());
  return make_file(*entry, path);
}

std::string fd_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

}  // namespace mooring
