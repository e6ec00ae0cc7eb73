#include "builder.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cgroup_systemd.h"
#include "channel.h"
#include "guard.h"
#include "hooks.h"
#include "init.h"
#include "namespaces.h"
#include "procfs.h"

namespace mooring {
namespace {

Result<std::string> find_place(const InitPlan& plan, const LaunchOptions& options, ScopeHolder& holder) {
  if (!options.systemd_cgroup) return cgroup_path_of(plan.config, options.id);
  auto scope = systemd_scope(plan.config, options.id);
  if (!scope) return std::move(scope.error());
  MOORING_TRY(holder.make(*scope, plan.config.resources));
  return scope->cgroup;
}

Status prepare(InitPlan& plan, const LaunchOptions& options, ScopeHolder& holder) {
  MOORING_TRY(guard_helper());
  MOORING_TRY(read_plan(plan, options.bundle));
  auto hierarchies = find_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  auto place = find_place(plan, options, holder);
  if (!place) return std::move(place.error());
  auto cgroups = prepare_cgroups(*hierarchies, *place, plan.config.resources);
  if (!cgroups) return std::move(cgroups.error());
  plan.cgroups = std::move(*cgroups);
  return join_namespaces(plan.config.namespaces);
}

// The container's namespaces and mounts are made, its root is not entered yet (runtime specification, "createRuntime hooks").
Status run_create_runtime_hooks(const InitPlan& plan, const LaunchOptions& options, int gate, pid_t pid) {
  char byte;
  if (read(gate, &byte, 1) != 1) return ok();  // it failed and has said so
  MOORING_TRY(run_hooks("createRuntime", plan.config.hooks.create_runtime, state_text(plan.config, options.id, options.bundle, "creating", pid)));
  return write(gate, "", 1) == 1 ? ok() : Status(sys_error("let the container's first process go on"));
}

Status give_birth(InitPlan& plan, const LaunchOptions& options) {
  UniqueFd gate, other_gate;
  if (!plan.config.hooks.create_runtime.empty()) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return sys_error("make a socket pair");
    gate.reset(ends[0]);
    other_gate.reset(ends[1]);
    plan.hook_gate = other_gate.get();
  }
  UniqueFd handle;
  const auto pid = clone_process(plan.config.namespaces.created, plan.cgroups, handle);
  if (!pid) return pid.error();
  if (*pid == 0) {
    gate.reset();
    run_init(plan, options);
  }
  other_gate.reset();
  MOORING_TRY(tell_started(plan.channel, *pid, handle, plan.cgroups));
  return gate ? run_create_runtime_hooks(plan, options, gate.get(), *pid) : ok();
}

}  // namespace

Status read_plan(InitPlan& plan, const std::string& bundle) {
  auto config = read_config(bundle);
  if (!config) return std::move(config.error());
  plan.config = std::move(*config);
  MOORING_TRY(check_sysctls(plan.config));
  if (!plan.config.seccomp) return ok();
  auto filter = seccomp_filter(*plan.config.seccomp, plan.config.seccomp_cache);
  if (!filter) return std::move(filter.error());
  plan.filter = std::move(*filter);
  return ok();
}

Result<pid_t> clone_process(int namespaces, const Cgroups& cgroups, UniqueFd& pidfd) {
  int handle = -1;
  clone_args arguments{};
  // CLONE_PARENT: the container is the child of launch()'s caller, who waits for it, and not ours. The exit signal is then that of ours, SIGCHLD.
  arguments.flags = CLONE_PARENT | CLONE_PIDFD | static_cast<uint64_t>(namespaces & ~CLONE_NEWCGROUP);
  arguments.pidfd = reinterpret_cast<uint64_t>(&handle);
  if (cgroups.unified) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<uint64_t>(cgroups.unified.get());
  }
  const long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid < 0) return sys_error("clone3 the container's first process");
  if (pid > 0) pidfd.reset(handle);
  return static_cast<pid_t>(pid);
}

Status tell_started(int channel, pid_t pid, const UniqueFd& pidfd, const Cgroups& cgroups) {
  auto told = send_packet(channel, Message::started, pid, cgroups.memory_folder, pidfd.get());
  if (!told) syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
  return told;
}

void run_builder(int channel, const LaunchOptions& options) {
  // Off 0, 1 and 2, should the caller have none of these.
  InitPlan plan{.config = {}, .cgroups = {}, .filter = {}, .channel = fcntl(channel, F_DUPFD_CLOEXEC, 3)};
  if (plan.channel < 0) _exit(1);
  ScopeHolder holder;
  Status done = prepare(plan, options, holder);
  if (done) done = give_birth(plan, options);
  holder.end();
  if (!done) (void)send_packet(plan.channel, Message::failed, done.error().code, done.error().message);  // with the caller gone there is nobody to tell
  _exit(done ? 0 : 1);
}

}  // namespace mooring
