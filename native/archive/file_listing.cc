#include "archive/file_listing.h"

#include <unistd.h>

#include "monitor/json_text.h"

namespace mooring {

std::string file_line(int dir, std::string_view name, const struct stat& status) {
  JsonObject line;
  line.text("name", name)
      .number("mode", status.st_mode)
      .number("uid", status.st_uid)
      .number("gid", status.st_gid)
      .number("size", status.st_size)
      .number("mtime", status.st_mtim.tv_sec)
      .number("mtimeNanoseconds", status.st_mtim.tv_nsec);
  if (S_ISLNK(status.st_mode)) {
    std::string target(static_cast<size_t>(status.st_size) + 1, '\0');
    const ssize_t size = ::readlinkat(dir, std::string(name).c_str(), target.data(), target.size());
    line.text("linkTarget", {target.data(), size < 0 ? 0 : static_cast<size_t>(size)});
  }
  return line.str() + "\n";
}

Status write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sys_error("write what was read");
    text.remove_prefix(static_cast<size_t>(count));
  }
  return ok();
}

}  // namespace mooring
