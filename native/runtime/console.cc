#include "console.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "mount_api.h"
#include "open_in_root.h"

namespace mooring {
namespace {

Status require_devpts(int fd, const char* label) {
  struct statfs status;
  if (fstatfs(fd, &status) != 0) return sys_error(std::string("statfs ") + label);
  return status.f_type == DEVPTS_SUPER_MAGIC ? ok() : Status(Error{std::string(label) + " is not on devpts; process.terminal needs a mount of type devpts at /dev/pts", EPERM});
}

Status bind_console(int rootfs, int terminal) {
  auto entry = make_parent_in_root(rootfs, "/dev/console", RESOLVE_NO_SYMLINKS);
  if (!entry) return Error{"console: " + entry.error().message, entry.error().code};
  auto place = make_file(*entry, "/dev/console");
  if (!place) return std::move(place.error());
  auto mount = clone_mount(terminal, "", false);
  if (!mount) return Error{"console: " + mount.error().message, mount.error().code};
  return attach_mount(mount->get(), place->get(), "/dev/console");
}

}  // namespace

Result<Console> open_pty(int rootfs, const Process& process, uid_t owner) {
  // O_PATH first: an image's own ptmx must not be opened before it is known to be devpts.
  auto ptmx = open_in_root(rootfs, "/dev/pts/ptmx", O_PATH | O_NOFOLLOW);
  if (!ptmx) return Error{"process.terminal: " + ptmx.error().message + " (a mount of type devpts at /dev/pts is needed)", ptmx.error().code};
  MOORING_TRY(require_devpts(ptmx->get(), "/dev/pts/ptmx"));
  Console console;
  console.master.reset(open(fd_path(ptmx->get()).c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!console.master) return sys_error("open a new pty");
  int locked = 0;
  if (ioctl(console.master.get(), TIOCSPTLCK, &locked) != 0) return sys_error("unlock the pty");
  console.terminal.reset(ioctl(console.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!console.terminal) return sys_error("open the pty's terminal");
  MOORING_TRY(require_devpts(console.terminal.get(), "the pty's terminal"));
  if (process.rows || process.columns) {
    winsize size{};
    size.ws_row = process.rows;
    size.ws_col = process.columns;
    if (ioctl(console.master.get(), TIOCSWINSZ, &size) != 0) return sys_error("set process.consoleSize");
  }
  if (owner && fchown(console.terminal.get(), owner, static_cast<gid_t>(-1)) != 0) return sys_error("chown the terminal");
  return console;
}

Result<Console> make_console(int rootfs, const Process& process) {
  auto console = open_pty(rootfs, process, process.user.uid);
  if (!console) return console;
  MOORING_TRY(bind_console(rootfs, console->terminal.get()));
  return console;
}

}  // namespace mooring
