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
#include "hooks.h"
#include "host_side.h"
#include "keyring.h"
#include "process.h"
#include "procfs.h"
#include "scheduling.h"
#include "security_labels.h"
#include "send_descriptor.h"

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
  bool limits_required = false;
  std::optional<unsigned long> personality;
  UniqueFd agent;  // connected to who is asked by a filter that notifies
  AgentState agent_state;
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

Result<Stdio> open_exec_stdio(const std::string& proc, const Process& process, uid_t owner, const ExecOptions& options) {
  // A descriptor of its root, from here, where the container can put nothing over /proc.
  const UniqueFd rootfs(open((proc + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!rootfs) return sys_error("open the container's root");
  Console pty;
  if (process.terminal) {
    auto opened = open_pty(rootfs.get(), process, owner);
    if (!opened) return std::move(opened.error());
    pty = std::move(*opened);
  }
  if (!process.terminal) MOORING_TRY(give_pipes({options.stdin_fd, options.stdout_fd, options.stderr_fd}, owner));
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
    plan.limits_required = config->limits_required;
    plan.personality = config->personality;
    if (config->seccomp) {
      auto filter = seccomp_filter(*config->seccomp, config->seccomp_cache);
      if (!filter) return std::move(filter.error());
      plan.filter = std::move(*filter);
      if (plan.filter.notifies) {
        auto agent = connect_to(config->seccomp->listener_path, "linux.seccomp.listenerPath");
        if (!agent) return std::move(agent.error());
        plan.agent = std::move(*agent);
        plan.agent_state = {state_text(*config, options.id, options.bundle, "running", options.pid), config->seccomp->listener_metadata, 0};
      }
    }
  }
  MOORING_TRY(check_security_labels(plan.process, {}));
  plan.container.reset(options.pidfd >= 0 ? fcntl(options.pidfd, F_DUPFD_CLOEXEC, 3) : static_cast<int>(syscall(SYS_pidfd_open, options.pid, 0)));
  if (!plan.container) return sys_error("take hold of the container's process " + std::to_string(options.pid));

  const std::string proc = "/proc/" + std::to_string(options.pid);
  auto foreign = foreign_namespaces(proc);
  if (!foreign) return std::move(foreign.error());
  plan.namespaces = *foreign;
  UserNamespace user;
  if (plan.namespaces & CLONE_NEWUSER) {
    auto maps = read_id_maps(options.pid);
    if (!maps) return std::move(maps.error());
    user.maps = std::move(*maps);
    raise_hard_limits(plan.process.rlimits);
  }
  auto owner = outside_user(plan.process, plan.namespaces & CLONE_NEWUSER ? &user : nullptr);
  if (!owner) return std::move(owner.error());
  auto stdio = open_exec_stdio(proc, plan.process, *owner, options);
  if (!stdio) return std::move(stdio.error());
  plan.stdio = std::move(*stdio);
  auto cgroups = cgroups_of(options.pid, options.cgroups);
  if (!cgroups) return std::move(cgroups.error());
  plan.cgroups = std::move(*cgroups);
  // All that was opened by number is of this process, if it still is there now.
  if (syscall(SYS_pidfd_send_signal, plan.container.get(), 0, nullptr, 0) != 0) return sys_error("find the container's first process");

  if (plan.stdio.console) MOORING_TRY(send_packet(plan.channel, Message::console, 0, {}, plan.stdio.console.get()));
  plan.stdio.console.reset();
  if (plan.process.oom_score_adj) MOORING_TRY(set_oom_score(*plan.process.oom_score_adj, plan.limits_required, [&](const std::string& text) { (void)send_packet(plan.channel, Message::warning, 0, text); }));
  return ok();
}

// Everything of the caller's: it would lie open in a process that the container can see. Marking it close-on-exec would come too late.
Status close_others(const ExecPlan& plan, unsigned preserve_fds) {
  std::vector<unsigned> kept;
  const auto keep = [&](int fd) {
    if (fd >= 0) kept.push_back(static_cast<unsigned>(fd));
  };
  for (const int fd : {plan.channel, plan.container.get(), plan.agent.get(), plan.cgroups.unified.get()}) keep(fd);
  for (const UniqueFd& fd : plan.cgroups.tasks) keep(fd.get());
  for (const UniqueFd& fd : plan.stdio.fds) keep(fd.get());
  std::sort(kept.begin(), kept.end());
  unsigned next = 3 + preserve_fds;
  for (const unsigned fd : kept) {
    if (fd > next && close_range(next, fd - 1, 0) != 0) return sys_error("close the caller's descriptors");
    next = std::max(next, fd + 1);
  }
  return close_range(next, ~0U, 0) == 0 ? ok() : Status(sys_error("close the caller's descriptors"));
}

// The builder itself goes into the container, where nobody sees it: it is in no pid namespace there. Its child, which all can see, then has nothing of the host's left
// that a process with CAP_SYS_PTRACE could reach by way of it (CVE-2016-9962).
Status leave_host(ExecPlan& plan, const ExecOptions& options) {
  MOORING_TRY(close_others(plan, options.preserve_fds));
  // Of the label the child's execve makes use: it is inherited.
  auto procfs = open_for_labels(plan.process);
  if (!procfs) return std::move(procfs.error());
  if (*procfs) MOORING_TRY(set_security_labels(procfs->get(), plan.process));
  procfs->reset();
  // All at once: after the mount namespace no path means anything of the host's.
  if (plan.namespaces && setns(plan.container.get(), plan.namespaces) != 0) return sys_error("join the container's namespaces");
  plan.container.reset();
  return ok();
}

Error enter_and_run(ExecPlan& plan, const ExecOptions& options) {
  MOORING_TRY(reset_signals());
  if (setsid() < 0) return sys_error("setsid");
  if (plan.process.first_cpus) MOORING_TRY(set_cpus(*plan.process.first_cpus, "initial"));
  MOORING_TRY(enter_cgroups(plan.cgroups));
  plan.cgroups = {};
  if (plan.process.last_cpus) MOORING_TRY(set_cpus(*plan.process.last_cpus, "final"));
  else if (!plan.process.first_cpus) MOORING_TRY(allow_all_cpus());
  if (plan.namespaces & CLONE_NEWUSER) MOORING_TRY(become_namespace_root());
  MOORING_TRY(join_session_keyring(options.id));
  return become_program({.process = plan.process,
                         .filter = plan.filter,
                         .channel = plan.channel,
                         .preserve_fds = options.preserve_fds,
                         .dies_with_caller = options.dies_with_caller,
                         .limits_required = plan.limits_required,
                         .personality = plan.personality,
                         .agent = std::move(plan.agent),
                         .agent_state = std::move(plan.agent_state)},
                        std::move(plan.stdio));
}

// A process can't tell its id outside: the one that made it does.
Status hear_own_pid(ExecPlan& plan, const UniqueFd& line) {
  if (!line) return ok();
  return read(line.get(), &plan.agent_state.pid, sizeof plan.agent_state.pid) == sizeof plan.agent_state.pid ? ok() : Status(Error{"hear the process's id outside: nobody tells", EPIPE});
}

Status give_birth(ExecPlan& plan, const ExecOptions& options) {
  UniqueFd reading, writing;
  MOORING_TRY(leave_host(plan, options));
  if (plan.filter.notifies) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return sys_error("make a pipe");
    reading.reset(ends[0]);
    writing.reset(ends[1]);
  }
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
    writing.reset();
    Status heard = hear_own_pid(plan, reading);
    reading.reset();
    const Error failed = heard ? enter_and_run(plan, options) : std::move(heard.error());
    (void)send_packet(plan.channel, Message::failed, failed.code, failed.message);  // with the caller gone there is nobody to tell
    _exit(1);
  }
  const UniqueFd handle(pidfd);
  const int number = static_cast<int>(pid);
  auto told = send_packet(plan.channel, Message::started, number, {}, handle.get());
  if (told && writing && write(writing.get(), &number, sizeof number) != sizeof number) told = sys_error("tell the process its id outside");
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
