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
#include "keyring.h"
#include "masks.h"
#include "mount_api.h"
#include "mounts.h"
#include "namespaces.h"
#include "open_in_root.h"
#include "process.h"
#include "procfs.h"
#include "rootfs.h"
#include "scheduling.h"
#include "security_labels.h"
#include "stdio_setup.h"

namespace mooring {
namespace {

// Everything about the kernel's view of the process but its mounts.
Status enter_sandbox(const InitPlan& plan, const LaunchOptions& options) {
  const Config& config = plan.config;
  if (!plan.on_ground) MOORING_TRY(enter_ground(plan.cgroups));
  // Only now, so that the namespace's root is the container's own cgroup.
  if ((config.namespaces.created & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) != 0) return sys_error("unshare the cgroup namespace");
  if (plan.user) MOORING_TRY(become_namespace_root());
  if (!options.callers_keyring) MOORING_TRY(join_session_keyring(options.id));
  if (config.namespaces.created & CLONE_NEWNET) MOORING_TRY(raise_loopback());
  MOORING_TRY(set_names(config));
  return set_sysctls(config);
}

Result<UniqueFd> place_rootfs(const InitPlan& plan) {
  const Config& config = plan.config;
  // In a joined namespace this would untie mounts that are not ours.
  if (!config.namespaces.joined_path(CLONE_NEWNS) && mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0) return sys_error("make the mount namespace private");
  if (!plan.host.rootfs) return mount_rootfs(config.root);
  // The builder has gone to root.path, which nobody in a user namespace may be able to do; joining a mount namespace has led away from it.
  auto place = config.namespaces.joined_path(CLONE_NEWNS) ? Result<UniqueFd>(UniqueFd(open(config.root.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC))) : working_folder();
  if (!place) return place;
  if (!*place) return sys_error("open root.path " + config.root.path + " in the joined mount namespace");
  UniqueFd rootfs(fcntl(plan.host.rootfs.get(), F_DUPFD_CLOEXEC, 3));
  if (!rootfs) return sys_error("copy a descriptor");
  MOORING_TRY(attach_rootfs(rootfs.get(), place->get(), config.root));
  return rootfs;
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

Result<Stdio> furnish(InitPlan& plan, const LaunchOptions& options) {
  const Config& config = plan.config;
  auto rootfs = place_rootfs(plan);
  if (!rootfs) return std::move(rootfs.error());
  MOORING_TRY(plan.mounts->attach(rootfs->get(), plan.cgroups.placed));
  if (plan.mounts->owns_dev()) {
    MOORING_TRY(make_devices(rootfs->get(), plan.devices, plan.host.lent));
    MOORING_TRY(make_device_links(rootfs->get()));
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
  MOORING_TRY(plan.mounts->finish());

  MOORING_TRY(run_create_hooks(plan, options));

  const auto procfs = open_for_labels(config.process);
  if (!procfs) return procfs.error();
  // From here on no path means anything of the host's.
  MOORING_TRY(enter_rootfs(rootfs->get()));
  if (*procfs) MOORING_TRY(set_security_labels(procfs->get(), config.process));
  const KernelFolders kernel = plan.mounts->kernel_folders();
  MOORING_TRY(make_paths_read_only(rootfs->get(), kernel, config.readonly_paths));
  MOORING_TRY(mask_paths(rootfs->get(), kernel, config.masked_paths));
  if (config.root.readonly) MOORING_TRY(change_mount(rootfs->get(), {.set = MOUNT_ATTR_RDONLY}, "the rootfs"));
  if (config.rootfs_propagation && mount(nullptr, "/", nullptr, config.rootfs_propagation, nullptr) != 0) return sys_error("set linux.rootfsPropagation");
  return stdio;
}

Status set_up_and_run(InitPlan& plan, const LaunchOptions& options) {
  const Config& config = plan.config;
  LastSteps steps{.process = config.process,
                  .filter = plan.filter,
                  .channel = plan.channel,
                  .preserve_fds = options.preserve_fds,
                  .dies_with_caller = options.dies_with_caller,
                  .init = config.init,
                  .limits_required = config.limits_required,
                  .personality = config.personality,
                  .agent = std::move(plan.agent),
                  .start_gate = options.start_gate};
  if (plan.filter.notifies) {
    auto pid = pid_on_host();
    if (!pid) return std::move(pid.error());
    steps.agent_state = {state_text(config, options.id, options.bundle, "creating", *pid), config.seccomp->listener_metadata, *pid};
  }
  MOORING_TRY(enter_sandbox(plan, options));
  auto stdio = furnish(plan, options);
  if (!stdio) return std::move(stdio.error());
  if (stdio->console) MOORING_TRY(send_packet(plan.channel, Message::console, 0, {}, stdio->console.get()));
  if (!config.hooks.start_container.empty()) {
    steps.hooks = &config.hooks.start_container;
    steps.hook_state = state_text(config, options.id, options.bundle, "created", getpid());
  }
  return become_program(std::move(steps), std::move(*stdio));
}

}  // namespace

Status enter_ground(const Cgroups& cgroups) {
  MOORING_TRY(reset_signals());
  if (setsid() < 0) return sys_error("setsid");
  umask(0);
  MOORING_TRY(enter_cgroups(cgroups));
  return allow_all_cpus();
}

void run_init(InitPlan& plan, const LaunchOptions& options) {
  const Status failed = set_up_and_run(plan, options);
  (void)send_packet(plan.channel, Message::failed, failed.error().code, failed.error().message);  // with the caller gone there is nobody to tell
  _exit(1);
}

}  // namespace mooring
