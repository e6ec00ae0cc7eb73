#include "init.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capabilities.h"
#include "channel.h"
#include "masks.h"
#include "devices.h"
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

// The caller's handlers, ignored signals and mask are its own affair.
Status reset_signals() {
  // The kernel's own call and structure (rt_sigaction(2)): glibc's refuses the two signals that it keeps for itself, and its posix_spawn leaves them ignored.
  constexpr unsigned long standard[4] = {};  // SIG_DFL, no flags, no restorer, an empty mask
  for (int number = 1; number < NSIG; ++number) syscall(SYS_rt_sigaction, number, standard, nullptr, sizeof(unsigned long));  // KILL and STOP refuse, rightly
  sigset_t none;
  sigemptyset(&none);
  return sigprocmask(SIG_SETMASK, &none, nullptr) == 0 ? ok() : Status(sys_error("reset the signal mask"));
}

// Everything about the kernel's view of the process but its mounts.
Status enter_sandbox(const InitPlan& plan) {
  const Config& config = plan.config;
  MOORING_TRY(reset_signals());
  if (setsid() < 0) return sys_error("setsid");
  umask(0);
  MOORING_TRY(enter_cgroups(plan.cgroups));
  // Only now, so that the namespace's root is the container's own cgroup.
  if ((config.namespaces.created & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) != 0) return sys_error("unshare the cgroup namespace");
  if (config.namespaces.created & CLONE_NEWNET) MOORING_TRY(raise_loopback());
  MOORING_TRY(set_names(config));

  auto procfs = open_procfs();
  if (!procfs) return std::move(procfs.error());
  MOORING_TRY(set_sysctls(procfs->get(), config));
  if (config.process.oom_score_adj) {
    auto written = write_procfs(procfs->get(), "self/oom_score_adj", std::to_string(*config.process.oom_score_adj));
    if (!written) return Error{"process.oomScoreAdj: " + written.error().message + " (lowering it needs CAP_SYS_RESOURCE)", written.error().code};
  }
  return ok();
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
  auto stdio = open_stdio(rootfs->get(), config.process, options);
  if (!stdio) return stdio;
  if (auto cwd = make_in_root(rootfs->get(), config.process.cwd, Kind::folder); !cwd) return Error{"process.cwd: " + cwd.error().message, cwd.error().code};
  MOORING_TRY(mounts.finish());

  // From here on no path means anything of the host's.
  MOORING_TRY(enter_rootfs(rootfs->get()));
  MOORING_TRY(make_paths_read_only(rootfs->get(), config.readonly_paths));
  MOORING_TRY(mask_paths(rootfs->get(), config.masked_paths));
  if (config.root.readonly) MOORING_TRY(change_mount(rootfs->get(), {.set = MOUNT_ATTR_RDONLY}, "the rootfs"));
  if (config.rootfs_propagation && mount(nullptr, "/", nullptr, config.rootfs_propagation, nullptr) != 0) return sys_error("set linux.rootfsPropagation");
  return stdio;
}

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

Status set_up_and_run(const InitPlan& plan, const LaunchOptions& options) {
  const Process& process = plan.config.process;
  MOORING_TRY(enter_sandbox(plan));
  auto stdio = furnish(plan, options);
  if (!stdio) return std::move(stdio.error());
  if (stdio->console) MOORING_TRY(send_packet(plan.channel, Message::console, 0, {}, stdio->console.get()));
  MOORING_TRY(take_stdio(std::move(*stdio), process));
  MOORING_TRY(set_rlimits(process.rlimits));

  const bool filtered = !plan.filter.program.empty();
  // Without no_new_privs a filter needs CAP_SYS_ADMIN, which the container's process may not keep; with it, the filter comes last.
  if (process.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return sys_error("set no_new_privs");
  if (filtered && !process.no_new_privileges) MOORING_TRY(load_seccomp(plan.filter));
  MOORING_TRY(become_user(process, options.dies_with_caller));
  auto program = find_program(process);
  if (!program) return std::move(program.error());
  // Nothing but 0, 1 and 2 gets into the container, whatever the caller or a library left open (CVE-2024-21626).
  if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return sys_error("mark descriptors close-on-exec");
  // Fails where the caller is gone: then nobody would ever wait for this container.
  MOORING_TRY(send_packet(plan.channel, Message::ready));
  if (filtered && process.no_new_privileges) MOORING_TRY(load_seccomp(plan.filter));
  return run_program(*program, process);
}

}  // namespace

void run_init(const InitPlan& plan, const LaunchOptions& options) {
  const Status failed = set_up_and_run(plan, options);
  (void)send_packet(plan.channel, Message::failed, failed.error().code, failed.error().message);  // with the caller gone there is nobody to tell
  _exit(1);
}

}  // namespace mooring
