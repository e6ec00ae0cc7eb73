#include "monitor/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace mooring {

namespace {

Status write_and_rename(const UniqueFd& folder, const std::string& temporary, const std::string& name, std::string_view text) {
  const UniqueFd file(::openat(folder.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return sys_error("open " + temporary);
  std::string line(text);
  line += '\n';
  MOORING_TRY(write_all(file.get(), line));
  if (::fsync(file.get()) != 0) return sys_error("fsync " + temporary);
  if (::renameat(folder.get(), temporary.c_str(), folder.get(), name.c_str()) != 0) return sys_error("rename " + temporary + " to " + name);
  if (::fsync(folder.get()) != 0) return sys_error("fsync the folder of " + name);
  return ok();
}

}  // namespace

Result<UniqueFd> open_folder(const std::string& path) {
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return sys_error("open the folder " + path);
  return folder;
}

Status replace_file(const UniqueFd& folder, const std::string& name, std::string_view text) {
  const std::string temporary = "." + name + ".tmp";
  auto written = write_and_rename(folder, temporary, name, text);
  if (!written) ::unlinkat(folder.get(), temporary.c_str(), 0);
  return written;
}

Status remove_file(const UniqueFd& folder, const std::string& name) {
  if (::unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != ENOENT) return sys_error("unlink " + name);
  return ok();
}

Status write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sys_error("write");
    text.remove_prefix(static_cast<size_t>(count));
  }
  return ok();
}

}  // namespace mooring
