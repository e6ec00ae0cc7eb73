#include "stdio_setup.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "devices.h"
#include "open_in_root.h"

namespace mooring {
namespace {

// Above 2, so that putting one in place never closes another.
Result<UniqueFd> keep(int fd) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) return sys_error("copy descriptor " + std::to_string(fd));
  return copy;
}

Result<UniqueFd> open_null_device(int rootfs) {
  auto null = open_null(rootfs);
  if (!null) return null;
  UniqueFd opened(open(fd_path(null->get()).c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!opened) return sys_error("open /dev/null in the rootfs");
  return opened;
}

}  // namespace

Result<Stdio> open_stdio(int rootfs, Console pty, const int (&given)[3]) {
  Stdio stdio;
  stdio.console = std::move(pty.master);
  for (int i = 0; i < 3; ++i) {
    auto fd = pty.terminal ? keep(pty.terminal.get()) : given[i] >= 0 ? keep(given[i]) : open_null_device(rootfs);
    if (!fd) return std::move(fd.error());
    stdio.fds[i] = std::move(*fd);
  }
  return stdio;
}

Status take_stdio(Stdio stdio) {
  for (int i = 0; i < 3; ++i)
    if (dup2(stdio.fds[i].get(), i) < 0) return sys_error("take over descriptor " + std::to_string(i));
  return ok();
}

Status take_terminal() { return ioctl(0, TIOCSCTTY, 0) == 0 ? ok() : Status(sys_error("make the pty the controlling terminal")); }

}  // namespace mooring
