// Processes by descriptor, so that a recycled pid is never mistaken for the one that was meant.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot C++
}

#include <string>

#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

inline Result<UniqueFd> open_pidfd(pid_t pid) {
  UniqueFd fd(::pidfd_open(pid, 0));  // close-on-exec by itself
  if (!fd) return sys_error("pidfd_open " + std::to_string(pid));
  return fd;
}

/// Whether the process has ended, with all its threads; it may still be a zombie.
inline bool has_ended(const UniqueFd& pidfd) {
  pollfd entry{pidfd.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0;
}

/// Takes the status of an ended process, where it is a child of ours that nobody has waited for: true then.
inline bool reap(const UniqueFd& pidfd, siginfo_t& status) {
  status = {};
  return ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &status, WEXITED | WNOHANG) == 0 && status.si_pid != 0;
}

}  // namespace mooring
