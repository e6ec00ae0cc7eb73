// The container's first process, from its birth in the new namespaces to the execve of the image's program.
#pragma once

#include <optional>
#include <vector>

#include "cgroup.h"
#include "config.h"
#include "host_side.h"
#include "launch.h"
#include "mounts.h"
#include "seccomp_filter.h"
#include "user_namespace.h"

namespace mooring {

/// All that the builder has prepared for it.
struct InitPlan {
  Config config;
  Cgroups cgroups;
  SeccompFilter filter;  // empty program: none
  UniqueFd agent;        // connected to who is asked by a filter that notifies
  std::optional<UserNamespace> user;
  std::optional<Mounts> mounts;
  std::vector<Device> devices;
  HostSide host;  // empty where the container's first process makes all of it
  int channel = -1;
  bool on_ground = false;  // enter_ground() is behind it
  int hook_gate = -1;  // init's end of the pair by which it waits for the builder's hooks; -1: there are none
};

/// The first steps: a session of its own, signals as a program expects them, the cgroups.
Status enter_ground(const Cgroups& cgroups);

/// Never returns: becomes the image's program, or sends the error down the channel and exits.
[[noreturn]] void run_init(InitPlan& plan, const LaunchOptions& options);

}  // namespace mooring
