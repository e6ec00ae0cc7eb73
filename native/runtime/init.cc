#include "init.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "become_program.h"
#include "channel.h"
#include "devices.h"
#include "hooks.h"
#include "masks.h"
#include "mount_api.h"
#include "mounts.h"
#include "namespaces.h"
#include "open_in_root.h"
#include "process.h"
#include "procfs.h"
#include "rootfs.h"
#include "stdio_setup.h"

namespace mooring {
namespace {

// Everything about the kernel's view of the process but its mounts.
Status enter_sandbox(const InitPlan& plan) {
  const Config& config = plan.config;
  if (!plan.on_ground) MOORING_TRY(enter_ground(plan.cgroups));
  // Only now, so that the namespace's root is the container's own cgroup.
  if ((config.namespaces.created & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) != 0) return sys_error("unshare the cgroup namespace");
  if (config.namespaces.created & CLONE_NEWNET) MOORING_TRY(raise_loopback());
  MOORING_TRY(set_names(config));

  auto procfs = open_procfs();
  if (!procfs) return std::move(procfs.error());
  MOORING_TRY(set_sysctls(procfs->get(), config));
  if (config.process.oom_score_adj) MOORING_TRY(set_oom_score(procfs->get(), *config.process.oom_score_adj));
  return ok();
}

Status run_create_hooks(const InitPlan& plan, const LaunchOptions& options) {
  if (plan.hook_gate >= 0) {
    char byte;
    if (write(plan.hook_gate, "", 1) != 1 || read(plan.hook_gate, &byte, 1) != 1) _exit(1);  // the builder tells why
    close(plan.hook_gate);
  }
  const Config& config = plan.config;
  return run_hooks("createContainer", config.hooks.create_container, state_text(config, options.id, options.bundle, "creating", getpid()));
}

Result<Stdio> furnish(const InitPlan& plan, const LaunchOptions& options) {
  const Config& config = plan.config;
  Mounts mounts(config.mounts);
  MOORING_TRY(mounts.take_sources());
  if (mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0) return sys_error("make the mount namespace private");
  auto rootfs = mount_rootfs(config.root);
  if (!rootfs) return std::move(rootfs.error());
  MOORING_TRY(mounts.attach(rootfs->get(), plan.cgroups.placed));
  if (mounts.owns_dev()) {
    MOORING_TRY(make_default_devices(rootfs->get()));
    MOORING_TRY(make_devices(rootfs->get(), config.devices));
  }
  Console console;
  if (config.process.terminal) {
    auto made = make_console(rootfs->get(), config.process);
    if (!made) return std::move(made.error());
    console = std::move(*made);
  }
  auto stdio = open_stdio(rootfs->get(), std::move(console), {options.stdin_fd, options.stdout_fd, options.stderr_fd});
  if (!stdio) return stdio;
  if (auto cwd = make_in_root(rootfs->get(), config.process.cwd, Kind::folder); !cwd) return Error{"process.cwd: " + cwd.error().message, cwd.error().code};
  MOORING_TRY(mounts.finish());

  MOORING_TRY(run_create_hooks(plan, options));

  // From here on no path means anything of the host's.
  MOORING_TRY(enter_rootfs(rootfs->get()));
  MOORING_TRY(make_paths_read_only(rootfs->get(), config.readonly_paths));
  MOORING_TRY(mask_paths(rootfs->get(), config.masked_paths));
  if (config.root.readonly) MOORING_TRY(change_mount(rootfs->get(), {.set = MOUNT_ATTR_RDONLY}, "the rootfs"));
  if (config.rootfs_propagation && mount(nullptr, "/", nullptr, config.rootfs_propagation, nullptr) != 0) return sys_error("set linux.rootfsPropagation");
  return stdio;
}

Status set_up_and_run(const InitPlan& plan, const LaunchOptions& options) {
  const Process& process = plan.config.process;
  MOORING_TRY(enter_sandbox(plan));
  auto stdio = furnish(plan, options);
  if (!stdio) return std::move(stdio.error());
  if (stdio->console) MOORING_TRY(send_packet(plan.channel, Message::console, 0, {}, stdio->console.get()));
  LastSteps steps{.process = process, .filter = plan.filter, .channel = plan.channel, .preserve_fds = options.preserve_fds, .dies_with_caller = options.dies_with_caller, .init = plan.config.init, .start_gate = options.start_gate};
  if (!plan.config.hooks.start_container.empty()) {
    steps.hooks = &plan.config.hooks.start_container;
    steps.hook_state = state_text(plan.config, options.id, options.bundle, "created", getpid());
  }
  return become_program(steps, std::move(*stdio));
}

}  // namespace

Status enter_ground(const Cgroups& cgroups) {
  MOORING_TRY(reset_signals());
  if (setsid() < 0) return sys_error("setsid");
  umask(0);
  return enter_cgroups(cgroups);
}

void run_init(const InitPlan& plan, const LaunchOptions& options) {
  const Status failed = set_up_and_run(plan, options);
  (void)send_packet(plan.channel, Message::failed, failed.error().code, failed.error().message);  // with the caller gone there is nobody to tell
  _exit(1);
}

}  // namespace mooring
