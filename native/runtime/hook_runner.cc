#include "hook_runner.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "hooks.h"

namespace mooring {

Status HookRunner::prepare(InitPlan& plan, const LaunchOptions& options) {
  if (plan.config.hooks.create_runtime.empty()) return ok();
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return sys_error("make a socket pair");
  gate_.reset(ends[0]);
  other_gate_.reset(ends[1]);
  plan.hook_gate = other_gate_.get();
  return needs_host_side(plan.config) ? stay_on_host(plan, options) : ok();
}

void HookRunner::leave() {
  gate_.reset();
  line_.reset();
}

Status HookRunner::run(const InitPlan& plan, const LaunchOptions& options, pid_t pid) {
  if (!gate_) return ok();
  other_gate_.reset();
  if (helper_ < 0) return run_here(plan, options, pid);
  gate_.reset();
  const bool told = write(line_.get(), &pid, sizeof pid) == sizeof pid;
  line_.reset();
  while (waitpid(helper_, nullptr, 0) < 0 && errno == EINTR) {
  }
  return told ? ok() : Status(sys_error("tell the hooks' runner"));
}

Status HookRunner::stay_on_host(const InitPlan& plan, const LaunchOptions& options) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return sys_error("make a pipe");
  const UniqueFd reading(ends[0]);
  line_.reset(ends[1]);
  helper_ = fork();
  if (helper_ < 0) return sys_error("fork");
  if (helper_ > 0) return ok();
  line_.reset();
  other_gate_.reset();
  pid_t pid;
  if (read(reading.get(), &pid, sizeof pid) != sizeof pid) _exit(1);  // there is no container
  auto done = run_here(plan, options, pid);
  if (!done) (void)send_packet(plan.channel, Message::failed, done.error().code, done.error().message);  // with the caller gone there is nobody to tell
  _exit(0);
}

Status HookRunner::run_here(const InitPlan& plan, const LaunchOptions& options, pid_t pid) {
  char byte;
  if (read(gate_.get(), &byte, 1) != 1) return ok();  // it failed and has said so
  MOORING_TRY(run_hooks("createRuntime", plan.config.hooks.create_runtime, state_text(plan.config, options.id, options.bundle, "creating", pid)));
  return write(gate_.get(), "", 1) == 1 ? ok() : Status(sys_error("let the container's first process go on"));
}

}  // namespace mooring
