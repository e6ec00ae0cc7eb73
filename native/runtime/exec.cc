#include "exec.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "become_program.h"
#include "birth.h"
#include "cgroup.h"
#include "channel.h"
#include "console.h"
#include "guard.h"
#include "process.h"
#include "procfs.h"

namespace mooring {
namespace {

struct ExecPlan {
  Process process;
  SeccompFilter filter;
  Cgroups cgroups;
  Stdio stdio;
  UniqueFd container;  // pidfd of its first process
  int namespaces = 0;  // CLONE_NEW* that are not ours already
  int channel = -1;
};

struct NamespaceFile {
  const char* name;
  int flag;
};
constexpr NamespaceFile namespace_files[] = {{"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS}, {"pid", CLONE_NEWPID},       {"ipc", CLONE_NEWIPC},
                                             {"uts", CLONE_NEWUTS},   {"net", CLONE_NEWNET}, {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME}};

// setns(2) refuses some namespaces that the caller is in already (user), and needs rights for those that it could do without.
Result<int> foreign_namespaces(const std::string& proc) {
  int flags = 0;
  for (const NamespaceFile& file : namespace_files) {
    struct stat theirs, ours;
    if (stat((proc + "/ns/" + file.name).c_str(), &theirs) != 0 || stat((std::string("/proc/self/ns/") + file.name).c_str(), &ours) != 0) {
      if (errno == ENOENT && file.flag == CLONE_NEWTIME) continue;  // a kernel without them
      return sys_error("look at the container's namespaces");
    }
    if (theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev) flags |= file.flag;
  }
  return flags;
}

Result<Stdio> open_exec_stdio(const std::string& proc, const Process& process, const ExecOptions& options) {
  // A descriptor of its root, from here, where the container can put nothing over /proc.
  const UniqueFd rootfs(open((proc + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!rootfs) return sys_error("open the container's root");
  Console pty;
  if (process.terminal) {
    auto opened = open_pty(rootfs.get(), process);
    if (!opened) return std::move(opened.error());
    pty = std::move(*opened);
  }
  return open_stdio(rootfs.get(), std::move(pty), {options.stdin_fd, options.stdout_fd, options.stderr_fd});
}

Status prepare(ExecPlan& plan, const ExecOptions& options) {
  MOORING_TRY(guard_helper());
  auto process = read_process_text(options.process);
  if (!process) return std::move(process.error());
  plan.process = std::move(*process);
  if (!options.bundle.empty()) {
    auto config = read_config(options.bundle);
    if (!config) return std::move(config.error());
    if (config->seccomp) {
      auto filter = seccomp_filter(*config->seccomp, config->seccomp_cache);
      if (!filter) return std::move(filter.error());
      plan.filter = std::move(*filter);
    }
  }
  plan.container.reset(options.pidfd >= 0 ? fcntl(options.pidfd, F_DUPFD_CLOEXEC, 3) : static_cast<int>(syscall(SYS_pidfd_open, options.pid, 0)));
  if (!plan.container) return sys_error("take hold of the container's process " + std::to_string(options.pid));

  const std::string proc = "/proc/" + std::to_string(options.pid);
  auto foreign = foreign_namespaces(proc);
  if (!foreign) return std::move(foreign.error());
  plan.namespaces = *foreign;
  auto stdio = open_exec_stdio(proc, plan.process, options);
  if (!stdio) return std::move(stdio.error());
  plan.stdio = std::move(*stdio);
  auto cgroups = cgroups_of(options.pid);
  if (!cgroups) return std::move(cgroups.error());
  plan.cgroups = std::move(*cgroups);
  // All that was opened by number is of this process, if it still is there now.
  if (syscall(SYS_pidfd_send_signal, plan.container.get(), 0, nullptr, 0) != 0) return sys_error("find the container's first process");

  if (plan.stdio.console) MOORING_TRY(send_packet(plan.channel, Message::console, 0, {}, plan.stdio.console.get()));
  plan.stdio.console.reset();
  if ((plan.namespaces & CLONE_NEWPID) && setns(plan.container.get(), CLONE_NEWPID) != 0) return sys_error("join the container's pid namespace");
  return ok();
}

// Everything of the caller's: it would lie open in a process that the container can see. Marking it close-on-exec would come too late.
Status close_others(const ExecPlan& plan, unsigned preserve_fds) {
  std::vector<unsigned> kept = {static_cast<unsigned>(plan.channel), static_cast<unsigned>(plan.container.get())};
  for (const UniqueFd& fd : plan.stdio.fds) kept.push_back(static_cast<unsigned>(fd.get()));
  std::sort(kept.begin(), kept.end());
  unsigned next = 3 + preserve_fds;
  for (const unsigned fd : kept) {
    if (fd > next && close_range(next, fd - 1, 0) != 0) return sys_error("close the caller's descriptors");
    next = std::max(next, fd + 1);
  }
  return close_range(next, ~0U, 0) == 0 ? ok() : Status(sys_error("close the caller's descriptors"));
}

Error join_and_run(ExecPlan& plan, const ExecOptions& options) {
  MOORING_TRY(reset_signals());
  if (setsid() < 0) return sys_error("setsid");
  MOORING_TRY(enter_cgroups(plan.cgroups));
  plan.cgroups = {};
  MOORING_TRY(close_others(plan, options.preserve_fds));
  if (plan.process.oom_score_adj) {
    auto procfs = open_procfs();
    if (!procfs) return std::move(procfs.error());
    MOORING_TRY(set_oom_score(procfs->get(), *plan.process.oom_score_adj));
  }
  // All at once: after the mount namespace no path means anything of the host's.
  const int rest = plan.namespaces & ~CLONE_NEWPID;
  if (rest && setns(plan.container.get(), rest) != 0) return sys_error("join the container's namespaces");
  plan.container.reset();
  return become_program({.process = plan.process,
                         .filter = plan.filter,
                         .channel = plan.channel,
                         .preserve_fds = options.preserve_fds,
                         .dies_with_caller = options.dies_with_caller},
                        std::move(plan.stdio));
}

Status give_birth(ExecPlan& plan, const ExecOptions& options) {
  int pidfd = -1;
  clone_args arguments{};
  // As for the first process: a child of the caller's, not ours.
  arguments.flags = CLONE_PARENT | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  if (plan.cgroups.unified) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<uint64_t>(plan.cgroups.unified.get());
  }
  const long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid < 0) return sys_error("clone3 a process into the container");
  if (pid == 0) {
    const Error failed = join_and_run(plan, options);
    (void)send_packet(plan.channel, Message::failed, failed.code, failed.message);  // with the caller gone there is nobody to tell
    _exit(1);
  }
  const UniqueFd handle(pidfd);
  auto told = send_packet(plan.channel, Message::started, static_cast<int>(pid), {}, handle.get());
  if (!told) syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0);  // the caller is gone, its process must not stay
  return told;
}

[[noreturn]] void run_exec_builder(int channel, const ExecOptions& options) {
  ExecPlan plan;
  plan.channel = fcntl(channel, F_DUPFD_CLOEXEC, 3);
  if (plan.channel < 0) _exit(1);
  Status done = prepare(plan, options);
  if (done) done = give_birth(plan, options);
  if (!done) (void)send_packet(plan.channel, Message::failed, done.error().code, done.error().message);  // as above
  _exit(done ? 0 : 1);
}

}  // namespace

Result<Launched> execute(const ExecOptions& options) {
  return give_birth_by([&](int channel) { run_exec_builder(channel, options); }, "the process");
}

}  // namespace mooring
