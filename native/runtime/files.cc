#include "files.h"

#include <fcntl.h>
#include <unistd.h>

#include "unique_fd.h"

namespace mooring {

Result<std::string> read_file(int dir, const std::string& path, std::size_t most) {
  const UniqueFd file(openat(dir, path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return sys_error("open " + path);
  std::string text;
  char buffer[16384];
  for (;;) {
    const ssize_t got = read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return sys_error("read " + path);
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > most) return Error{path + " is larger than " + std::to_string(most) + " bytes", EFBIG};
  }
}

Status write_file(int dir, const std::string& path, std::string_view value, const std::string& label) {
  const UniqueFd file(openat(dir, path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW));
  if (!file) return sys_error("open " + label);
  const ssize_t written = write(file.get(), value.data(), value.size());
  if (written < 0) return sys_error("write \"" + std::string(value) + "\" to " + label);
  if (static_cast<std::size_t>(written) != value.size()) return Error{"write \"" + std::string(value) + "\" to " + label + ": cut short"};
  return ok();
}

}  // namespace mooring
