#include "copy_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "open_in_root.h"
#include "unique_fd.h"

namespace mooring {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

Status copy_content(int from, int to, const std::string& name) {
  for (;;) {
    const ssize_t sent = sendfile(to, from, nullptr, 1 << 20);
    if (sent == 0) return ok();
    if (sent < 0) return sys_error("copy " + name);
  }
}

bool is_kept(std::string_view attribute) { return attribute.starts_with("user.") || attribute == "security.capability"; }

Status copy_attributes(int from, int to, const std::string& name) {
  std::vector<char> names(64 << 10), value(64 << 10);  // XATTR_LIST_MAX, XATTR_SIZE_MAX
  const ssize_t length = flistxattr(from, names.data(), names.size());
  if (length < 0) return errno == ENOTSUP ? ok() : Status(sys_error("list the attributes of " + name));
  for (const char* one = names.data(); one < names.data() + length; one += std::string_view(one).size() + 1) {
    if (!is_kept(one)) continue;
    const ssize_t size = fgetxattr(from, one, value.data(), value.size());
    if (size < 0 || fsetxattr(to, one, value.data(), static_cast<std::size_t>(size), 0) != 0) return sys_error(std::string("copy the attribute ") + one + " of " + name);
  }
  return ok();
}

Status copy_owner(int folder, const char* name, const struct stat& status) {
  if (fchownat(folder, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) != 0) return sys_error(std::string("chown the copy of ") + name);
  if (!S_ISLNK(status.st_mode) && fchmodat(folder, name, status.st_mode & 07777, 0) != 0) return sys_error(std::string("chmod the copy of ") + name);
  const timespec times[2] = {status.st_atim, status.st_mtim};
  return utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW) == 0 ? ok() : Status(sys_error(std::string("date the copy of ") + name));
}

Status copy_file(int from, int to, const char* name) {
  const UniqueFd source(openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)), copy(openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!source || !copy) return sys_error(std::string("copy ") + name);
  MOORING_TRY(copy_content(source.get(), copy.get(), name));
  return copy_attributes(source.get(), copy.get(), name);
}

Status copy_link(int from, int to, const char* name) {
  char target[PATH_MAX];
  const ssize_t length = readlinkat(from, name, target, sizeof target - 1);
  if (length < 0) return sys_error(std::string("read the link ") + name);
  target[length] = 0;
  return symlinkat(target, to, name) == 0 ? ok() : Status(sys_error(std::string("copy the link ") + name));
}

Status copy_folder(int from, int to, const char* name) {
  if (mkdirat(to, name, 0700) != 0) return sys_error(std::string("copy the folder ") + name);
  const UniqueFd source(openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)), copy(openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!source || !copy) return sys_error(std::string("open the folder ") + name);
  return copy_tree(source.get(), copy.get());
}

// Not the device: an overlay's files may have those of its layers.
Result<uint64_t> mount_of(int folder, const char* name) {
  struct statx status;
  if (statx(folder, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_MNT_ID, &status) != 0) return sys_error(std::string("statx ") + name);
  return uint64_t{status.stx_mnt_id};
}

Status copy_entry(int from, int to, const char* name, uint64_t mount) {
  auto found = mount_of(from, name);
  if (!found) return std::move(found.error());
  if (*found != mount) return ok();
  struct stat status;
  if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return sys_error(std::string("stat ") + name);
  Status copied = ok();
  if (S_ISDIR(status.st_mode)) copied = copy_folder(from, to, name);
  else if (S_ISREG(status.st_mode)) copied = copy_file(from, to, name);
  else if (S_ISLNK(status.st_mode)) copied = copy_link(from, to, name);
  else if (mknodat(to, name, status.st_mode, status.st_rdev) != 0) copied = sys_error(std::string("copy the node ") + name);
  return copied ? copy_owner(to, name, status) : copied;
}

}  // namespace

Status copy_tree(int from, int to) {
  const int listing = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (listing < 0) return sys_error("open the folder to copy");
  const std::unique_ptr<DIR, CloseFolder> folder(fdopendir(listing));
  if (!folder) return sys_error("read the folder to copy");
  auto mount = mount_of(listing, "");
  if (!mount) return std::move(mount.error());
  for (errno = 0; const dirent* entry = readdir(folder.get()); errno = 0) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") MOORING_TRY(copy_entry(listing, to, name.c_str(), *mount));
  }
  return errno == 0 ? ok() : Status(sys_error("read the folder to copy"));
}

}  // namespace mooring
