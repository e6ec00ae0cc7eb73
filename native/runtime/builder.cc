#include "builder.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cgroup_owner.h"
#include "cgroup_systemd.h"
#include "channel.h"
#include "guard.h"
#include "hook_runner.h"
#include "init.h"
#include "namespaces.h"
#include "process.h"
#include "procfs.h"
#include "security_labels.h"
#include "send_descriptor.h"

namespace mooring {
namespace {

Result<std::string> find_place(const InitPlan& plan, const LaunchOptions& options, ScopeHolder& holder) {
  if (!options.systemd_cgroup) return cgroup_path_of(plan.config, options.id);
  auto scope = systemd_scope(plan.config, options.id);
  if (!scope) return std::move(scope.error());
  MOORING_TRY(holder.make(*scope, plan.config.resources));
  return scope->cgroup;
}

Status prepare_user_namespace(InitPlan& plan) {
  const Config& config = plan.config;
  if (!config.namespaces.has(CLONE_NEWUSER)) return ok();
  const std::string* joined = config.namespaces.joined_path(CLONE_NEWUSER);
  auto user = joined ? open_user_namespace(*joined) : new_user_namespace(config.id_maps);
  if (!user) return std::move(user.error());
  if (joined && !config.id_maps.empty() && user->maps != config.id_maps) return Error{"linux.uidMappings, linux.gidMappings: " + *joined + " has another mapping", EINVAL};
  plan.user = std::move(*user);
  return ok();
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
  MOORING_TRY(prepare_user_namespace(plan));
  return gather(plan, options);
}

// What follows is done without the host's mounts, or its rights, where the container has others.
Status leave_host(InitPlan& plan) {
  const Config& config = plan.config;
  if (config.namespaces.created & CLONE_NEWTIME) MOORING_TRY(unshare_time(config.time_offsets));
  if (needs_host_side(config)) {
    auto made = make_host_side(config, plan.devices, plan.user ? &*plan.user : nullptr);
    if (!made) return std::move(made.error());
    plan.host = std::move(*made);
  }
  MOORING_TRY(join_namespaces(config.namespaces));
  if (!plan.user) return ok();
  raise_hard_limits(config.process.rlimits);
  return setns(plan.user->handle.get(), CLONE_NEWUSER) == 0 ? ok() : Status(sys_error("join the container's user namespace"));
}

Status give_birth(InitPlan& plan, const LaunchOptions& options) {
  HookRunner hooks;
  MOORING_TRY(hooks.prepare(plan, options));
  MOORING_TRY(leave_host(plan));
  UniqueFd handle;
  const auto pid = clone_process(plan.config.namespaces.created, plan.cgroups, handle);
  if (!pid) return pid.error();
  if (*pid == 0) {
    hooks.leave();
    run_init(plan, options);
  }
  MOORING_TRY(tell_started(plan.channel, *pid, handle, plan.cgroups));
  return hooks.run(plan, options, *pid);
}

}  // namespace

Status read_plan(InitPlan& plan, const std::string& bundle) {
  auto config = read_config(bundle);
  if (!config) return std::move(config.error());
  plan.config = std::move(*config);
  MOORING_TRY(check_sysctls(plan.config));
  MOORING_TRY(check_security_labels(plan.config.process, plan.config.mount_label));
  if (!plan.config.seccomp) return ok();
  auto filter = seccomp_filter(*plan.config.seccomp, plan.config.seccomp_cache);
  if (!filter) return std::move(filter.error());
  plan.filter = std::move(*filter);
  if (!plan.filter.notifies) return ok();
  auto agent = connect_to(plan.config.seccomp->listener_path, "linux.seccomp.listenerPath");
  if (!agent) return std::move(agent.error());
  plan.agent = std::move(*agent);
  return ok();
}

Status gather(InitPlan& plan, const LaunchOptions& options) {
  const Process& process = plan.config.process;
  const auto warn = [&](const std::string& text) { (void)send_packet(plan.channel, Message::warning, 0, text); };  // a caller that is gone misses nothing
  if (process.oom_score_adj) MOORING_TRY(set_oom_score(*process.oom_score_adj, plan.config.limits_required, warn));
  const UserNamespace* const user = plan.user ? &*plan.user : nullptr;
  auto owner = outside_user(process, user);
  if (!owner) return std::move(owner.error());
  if (!process.terminal) MOORING_TRY(give_pipes({options.stdin_fd, options.stdout_fd, options.stderr_fd}, *owner));
  const auto group = user ? user->maps.gids.outside(process.user.gid) : process.user.gid;
  MOORING_TRY(give_cgroup(plan.config, plan.cgroups, *owner, group.value_or(static_cast<gid_t>(-1))));  // a group that is not mapped: "as it is"
  plan.devices = container_devices(plan.config);
  plan.mounts.emplace(plan.config);
  return plan.mounts->take_sources(user);
}

Result<pid_t> clone_process(int namespaces, const Cgroups& cgroups, UniqueFd& pidfd) {
  int handle = -1;
  clone_args arguments{};
  // CLONE_PARENT: the container is the child of launch()'s caller, who waits for it, and not ours. The exit signal is then that of ours, SIGCHLD.
  constexpr int made_otherwise = CLONE_NEWCGROUP | CLONE_NEWTIME | CLONE_NEWUSER;
  arguments.flags = CLONE_PARENT | CLONE_PIDFD | static_cast<uint64_t>(namespaces & ~made_otherwise);
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
  InitPlan plan;
  plan.channel = fcntl(channel, F_DUPFD_CLOEXEC, 3);
  if (plan.channel < 0) _exit(1);
  ScopeHolder holder;
  Status done = prepare(plan, options, holder);
  if (done) done = give_birth(plan, options);
  holder.end();
  if (!done) (void)send_packet(plan.channel, Message::failed, done.error().code, done.error().message);  // with the caller gone there is nobody to tell
  _exit(done ? 0 : 1);
}

}  // namespace mooring
