// The last steps of every process of a container, its first one and those of exec: from set-up code to the image's program.
#pragma once

#include <optional>

#include "config.h"
#include "result.h"
#include "seccomp_agent.h"
#include "seccomp_filter.h"
#include "stdio_setup.h"

namespace mooring {

struct LastSteps {
  Process process;
  const SeccompFilter& filter;  // empty program: none
  int channel = -1;             // to launch()'s caller
  unsigned preserve_fds = 0;
  bool dies_with_caller = false;
  bool init = false;  // an init of ours is to stay between the program and the kernel
  bool limits_required = false;            // as in Config
  std::optional<unsigned long> personality = {};
  UniqueFd agent = {};       // connected to who is asked by a filter that notifies
  AgentState agent_state = {};
  int start_gate = -1;                     // as in LaunchOptions
  const std::vector<Hook>* hooks = nullptr;  // startContainer, of the first process
  std::string hook_state = {};               // what they are given
};

/// Takes stdio, limits, identity, rights and the filter, and runs the program. Returns only on failure.
Error become_program(LastSteps steps, Stdio stdio);

}  // namespace mooring
