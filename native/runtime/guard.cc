#include "guard.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "self_exe.h"

namespace mooring {
namespace {

// The caller may have closed 0, 1 or 2; what is opened from here on must not land there, where the container's stdio goes.
Status occupy_stdio() {
  for (;;) {
    const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0) return sys_error("open /dev/null");
    if (fd > 2) {
      close(fd);
      return ok();
    }
  }
}

Status check_self() {
  auto safe = runs_read_only();
  if (!safe) return std::move(safe.error());
  return *safe ? ok() : Status(Error{"this program's file could be overwritten from a container; main() must begin with rerun_read_only()", EPERM});
}

}  // namespace

Status guard_helper() {
  MOORING_TRY(occupy_stdio());
  MOORING_TRY(check_self());
  // Nobody with our user id may trace us, or read our /proc files (CVE-2016-9962). execve turns it back on.
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? ok() : Status(sys_error("turn dumping off"));
}

}  // namespace mooring
