// One more process in a running container.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "cgroup.h"
#include "launch.h"
#include "result.h"

namespace mooring {

struct ExecOptions {
  std::string id = {};  // the container's, as in LaunchOptions; by it the process finds the container's session keyring. Empty: it gets a new one
  pid_t pid = -1;       // the container's first process, in the caller's pid namespace
  int pidfd = -1;       // of that process; borrowed. -1: taken by pid, which must then be known not to have been given to another
  std::string process = {};  // the runtime specification's `process` object, as JSON text. User and groups are numbers
  std::string bundle = {};   // its config.json has the seccomp filter, which holds for the new process too. Empty: no filter
  // What becomes the process's 0, 1 and 2 where `process` asks for no terminal. Borrowed; -1: the container's /dev/null.
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  unsigned preserve_fds = 0;      // so many descriptors from 3 on stay open in the process
  bool dies_with_caller = false;  // as in LaunchOptions
  std::vector<CgroupBelow> cgroups = {};  // other than those of the container's first process
};

/// Starts the process in the container's namespaces, the cgroups of its first process and its root, and returns once it has passed execve. It is the caller's child; of the result, memory_cgroup is empty.
/// With process.terminal, `console` is the master of a new pty in the container's devpts.
/// Like launch(), leaves little behind in the caller's memory. Errors of a program that can't be run are launch()'s: `exec: "foo": executable file not found in $PATH` (ENOENT), …
Result<Launched> execute(const ExecOptions& options);

}  // namespace mooring
