// The runtime library's one entry: an OCI bundle in, a running container's first process out.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "result.h"
#include "unique_fd.h"

namespace mooring {

struct LaunchOptions {
  std::string id;      // names the container's cgroups where config.json gives no cgroupsPath
  std::string bundle;  // absolute; holds config.json
  // What becomes the process's 0, 1 and 2 when config.json asks for no terminal. Borrowed.
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  // The process is killed when the calling thread ends. Its own set-user-ID programs escape that (prctl(2), PR_SET_PDEATHSIG).
  bool dies_with_caller = false;
  bool callers_keyring = false;  // the process stays in the caller's session keyring, and gets none of its own
  unsigned preserve_fds = 0;  // so many descriptors from 3 on stay open in the process
  // A FIFO open for reading and writing (so that it never ends). With one, launch() returns when all is set up, and the program is run once something is written to it. Borrowed.
  int start_gate = -1;
  bool systemd_cgroup = false;  // linux.cgroupsPath is "slice:prefix:name", and the container gets a scope of systemd's (cgroup_systemd.h)
};

struct Launched {
  pid_t pid = -1;           // in the caller's pid namespace; a child of the calling process
  UniqueFd pidfd;
  UniqueFd console;         // pty master, where config.json asks for a terminal
  std::vector<std::string> warnings;  // what this host could not give as asked: "process.rlimits: …"
  std::string memory_cgroup;  // absolute path of the folder that counts its OOM kills; empty without a memory controller
};

/// Makes the container that `bundle` describes and returns once its process has passed execve.
/// Everything made on the way is undone on failure, but cgroup folders, which may have been there before.
/// Leaves little behind in the caller's memory: the caller lives as long as the container does.
Result<Launched> launch(const LaunchOptions& options);

/// OOM kills the kernel has counted in that cgroup (memory.oom_control on v1, memory.events on v2).
Result<unsigned long> oom_kills(const std::string& memory_cgroup);

}  // namespace mooring
