#include "become_program.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "capabilities.h"
#include "channel.h"
#include "hooks.h"
#include "init_program.h"
#include "process.h"

namespace mooring {
namespace {

Status become_user(const Process& process, bool dies_with_caller) {
  // As root first: a user's working folder may lie below one that only root may search; then as the user, where only that one may (NFS, FUSE).
  const Status as_root = enter_folder(process.cwd);
  if (!as_root && as_root.error().code != EACCES) return as_root;
  MOORING_TRY(limit_bounding_set(process.capabilities));
  MOORING_TRY(switch_user(process.user));
  if (!as_root) MOORING_TRY(enter_folder(process.cwd));
  MOORING_TRY(set_capabilities(process.capabilities));
  // Last, since each change of credentials resets it. A caller that is dead already is noticed when it is told that all is ready.
  if (dies_with_caller && prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return sys_error("set the parent-death signal");
  umask(process.user.umask);
  return ok();
}

void await_start(int gate) {
  char byte;
  while (read(gate, &byte, 1) < 0 && errno == EINTR) {
  }
}

}  // namespace

Error become_program(const LastSteps& steps, Stdio stdio) {
  const Process& process = steps.process;
  UniqueFd gate;
  if (steps.start_gate >= 0) {
    gate.reset(fcntl(steps.start_gate, F_DUPFD_CLOEXEC, static_cast<int>(3 + steps.preserve_fds)));
    if (!gate) return sys_error("copy the start gate");
  }
  MOORING_TRY(take_stdio(std::move(stdio), process));
  if (process.terminal && !steps.init) MOORING_TRY(take_terminal());
  MOORING_TRY(set_rlimits(process.rlimits));

  const bool filtered = !steps.filter.program.empty();
  // Without no_new_privs a filter needs CAP_SYS_ADMIN, which the container's process may not keep; with it, the filter comes last.
  if (process.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return sys_error("set no_new_privs");
  if (filtered && !process.no_new_privileges) MOORING_TRY(load_seccomp(steps.filter));
  MOORING_TRY(become_user(process, steps.dies_with_caller));
  auto program = find_program(process);
  if (!program) return std::move(program.error());
  // Nothing but 0, 1, 2 and what was asked for gets into the container, whatever the caller or a library left open (CVE-2024-21626).
  if (close_range(3 + steps.preserve_fds, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return sys_error("mark descriptors close-on-exec");
  // Fails where the caller is gone: then nobody would ever wait for this container.
  MOORING_TRY(send_packet(steps.channel, Message::ready));
  if (gate) {
    // Lets go of the channel, and of everything else that is the caller's: it would lie open in here for as long as nobody starts us.
    const unsigned kept = static_cast<unsigned>(gate.get());
    if (kept > 3 + steps.preserve_fds) close_range(3 + steps.preserve_fds, kept - 1, 0);
    close_range(kept + 1, ~0U, 0);
    await_start(gate.get());
  }
  auto last = [&]() -> Error {
    if (steps.hooks) MOORING_TRY(run_hooks("startContainer", *steps.hooks, steps.hook_state));
    UniqueFd init;
    if (steps.init) {
      auto opened = open_init_program();
      if (!opened) return std::move(opened.error());
      init = std::move(*opened);
    }
    if (filtered && process.no_new_privileges) MOORING_TRY(load_seccomp(steps.filter));
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
