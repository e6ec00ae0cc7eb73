#include "become_program.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "capabilities.h"
#include "channel.h"
#include "environment.h"
#include "hooks.h"
#include "init_program.h"
#include "process.h"
#include "scheduling.h"

namespace mooring {
namespace {

// `entered`: whether root has come into the working folder. Else the user tries, for where only that one may (NFS, FUSE).
Status become_user(const Process& process, const CapabilitySets& capabilities, bool entered, bool dies_with_caller) {
  MOORING_TRY(limit_bounding_set(capabilities));
  MOORING_TRY(switch_user(process.user));
  if (!entered) MOORING_TRY(enter_folder(process.cwd));
  MOORING_TRY(set_capabilities(capabilities));
  // Last, since each change of credentials resets it. A caller that is dead already is noticed when it is told that all is ready.
  if (dies_with_caller && prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return sys_error("set the parent-death signal");
  umask(process.user.umask);
  return ok();
}

// The filter, which may be in force by now, lets close(2) pass, but seldom close_range(2).
void close_from(unsigned first, unsigned kept) {
  if (kept > first) close_range(first, kept - 1, 0);
  if (close_range(kept + 1, ~0U, 0) == 0) return;
  rlimit most{};
  if (getrlimit(RLIMIT_NOFILE, &most) != 0) most.rlim_cur = 1024;
  for (unsigned fd = first; fd < most.rlim_cur; ++fd)
    if (fd != kept) close(static_cast<int>(fd));
}

Status load_filter(LastSteps& steps) {
  AgentMessenger messenger;
  if (steps.filter.notifies) MOORING_TRY(messenger.stand_by(std::move(steps.agent), steps.agent_state));
  auto listener = load_seccomp(steps.filter);
  if (!listener) return std::move(listener.error());
  return steps.filter.notifies ? messenger.send(std::move(*listener)) : ok();
}

void await_start(int gate) {
  char byte;
  while (read(gate, &byte, 1) < 0 && errno == EINTR) {
  }
}

}  // namespace

Error become_program(LastSteps steps, Stdio stdio) {
  Process& process = steps.process;
  UniqueFd gate;
  if (steps.start_gate >= 0) {
    gate.reset(fcntl(steps.start_gate, F_DUPFD_CLOEXEC, static_cast<int>(3 + steps.preserve_fds)));
    if (!gate) return sys_error("copy the start gate");
  }
  MOORING_TRY(take_stdio(std::move(stdio)));
  if (process.terminal && !steps.init) MOORING_TRY(take_terminal());
  const auto warn = [&](const std::string& text) { (void)send_packet(steps.channel, Message::warning, 0, text); };  // with the caller gone "ready" fails
  MOORING_TRY(set_rlimits(process.rlimits, steps.limits_required, warn));
  MOORING_TRY(set_scheduling(process));
  const auto capabilities = grantable(process, steps.limits_required, warn);
  if (!capabilities) return capabilities.error();
  if (steps.personality && personality(*steps.personality) < 0) return sys_error("set linux.personality");

  // As root: a user's working folder may lie below one that only root may search.
  const Status entered = enter_folder(process.cwd);
  if (!entered && entered.error().code != EACCES) return entered.error();
  set_home(process.env, process.user.uid);
  // Nothing but 0, 1, 2 and what was asked for gets into the container, whatever the caller or a library left open (CVE-2024-21626).
  if (close_range(3 + steps.preserve_fds, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return sys_error("mark descriptors close-on-exec");

  // From the filter on only calls that no container can do without: it may refuse any other.
  const bool filtered = !steps.filter.program.empty();
  // Without no_new_privs a filter needs CAP_SYS_ADMIN, which the container's process may not keep; with it, the filter comes last.
  if (process.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return sys_error("set no_new_privs");
  if (filtered && !process.no_new_privileges) MOORING_TRY(load_filter(steps));
  MOORING_TRY(become_user(process, *capabilities, static_cast<bool>(entered), steps.dies_with_caller));
  auto program = find_program(process);
  if (!program) return std::move(program.error());
  // While the caller can still hear that the agent did not answer.
  const bool last_of_all = filtered && process.no_new_privileges && !steps.filter.notifies;
  if (filtered && process.no_new_privileges && !last_of_all) MOORING_TRY(load_filter(steps));
  // Fails where the caller is gone: then nobody would ever wait for this container.
  MOORING_TRY(send_packet(steps.channel, Message::ready));
  if (gate) {
    // Lets go of the channel, and of everything else that is the caller's: it would lie open in here for as long as nobody starts us.
    close_from(3 + steps.preserve_fds, static_cast<unsigned>(gate.get()));
    await_start(gate.get());
  }
  auto last = [&]() -> Error {
    if (steps.hooks) MOORING_TRY(run_hooks("startContainer", *steps.hooks, steps.hook_state, process.env));
    UniqueFd init;
    if (steps.init) {
      auto opened = open_init_program();
      if (!opened) return std::move(opened.error());
      init = std::move(*opened);
    }
    if (last_of_all) MOORING_TRY(load_filter(steps));
    if (init) MOORING_TRY(stay_behind_as_init(init, process.terminal, gate ? -1 : steps.channel));
    return run_program(*program, process);
  };
  const Error failed = last();
  if (!gate) return failed;
  // The caller has gone long since; the container's own stderr is the only one left to tell, and 255 what other runtimes end with here.
  dprintf(2, "%s\n", failed.message.c_str());
  _exit(255);
}

}  // namespace mooring
