#include "monitor/detach.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "monitor/durable_file.h"

namespace mooring {

namespace {

/// A handler that does nothing rather than SIG_IGN: execve resets the one to the default, but leaves the other to the container's process.
void let_signals_pass() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    switch (signal) {
      case SIGKILL:
      case SIGSTOP:
      case SIGCHLD:  // harmless by default
      case SIGILL:
      case SIGTRAP:
      case SIGABRT:
      case SIGBUS:
      case SIGFPE:
      case SIGSEGV:
      case SIGSYS:
        continue;
    }
    ::sigaction(signal, &action, nullptr);  // fails for the two that the C library keeps for itself
  }
}

}  // namespace

Status detach(int first, int last) {
  let_signals_pass();
  // A container that sees the host's processes is not to reach through our /proc files to our binary and our folders (CVE-2019-5736), whatever its user.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return sys_error("turn dumping off");
  ::umask(022);
  if (::chdir("/") != 0) return sys_error("chdir /");
  if ((first > 3 && ::close_range(3, static_cast<unsigned>(first) - 1, 0) != 0) || ::close_range(static_cast<unsigned>(last) + 1, ~0u, 0) != 0) return sys_error("close_range");
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return sys_error("open /dev/null");
  const UniqueFd guard(null);
  for (int fd = 0; fd < 3; ++fd)
    if (::dup2(null, fd) < 0) return sys_error("dup2 /dev/null");
  for (int fd = first; fd <= last; ++fd)
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return sys_error("fcntl F_SETFD descriptor " + std::to_string(fd));
  return ok();
}

void avoid_oom_killer() {
  const UniqueFd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file) (void)write_all(file.get(), "-999");  // EACCES without CAP_SYS_RESOURCE: then the monitor, small as it is, is an unlikely victim anyway
}

}  // namespace mooring
