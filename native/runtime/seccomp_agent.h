// linux.seccomp.listenerPath: who decides the system calls that the filter leaves open (SCMP_ACT_NOTIFY, seccomp_unotify(2)).
#pragma once

#include <sys/types.h>

#include <string>

#include "result.h"
#include "unique_fd.h"

namespace mooring {

struct AgentState {
  std::string container_state;  // the runtime specification's state, as JSON
  std::string metadata;
  pid_t pid = 0;  // of the process under the filter, as the runtime sees it
};

/// The calling process's id as the host's /proc has it, while that is in sight.
Result<pid_t> pid_on_host();

/// Hands the filter's listener to the agent by a process that is under no filter: this one may not be able to send it any more, or only once the agent has said so.
class AgentMessenger {
 public:
  /// Before the filter is loaded. `agent` is connected; it is closed in the end.
  Status stand_by(UniqueFd agent, const AgentState& state);

  /// After it: of system calls it takes write(2) alone until the agent has the listener.
  Status send(UniqueFd listener);

 private:
  UniqueFd agent_;
  UniqueFd reading_, writing_;
  pid_t helper_ = -1;
};

}  // namespace mooring
