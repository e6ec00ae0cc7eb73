#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "command.h"
#include "console_socket.h"
#include "foreground.h"
#include "new_container.h"
#include "runtime/cgroup_control.h"
#include "runtime/hooks.h"
#include "runtime/launch.h"
#include "runtime/systemd_bus.h"
#include "preserved_fds.h"

namespace mooring::oci {
namespace {

struct Made {
  ContainerLock lock;
  Container container;
  Config config;
  Launched launched;
};

Status check_terminal(const Arguments& arguments, const Config& config, bool stays) {
  const bool socket = arguments.has("console-socket");
  if (config.process.terminal && !socket && !stays) return Error{"process.terminal: needs --console-socket"};
  if (!config.process.terminal && socket) return Error{"--console-socket: process.terminal is not set"};
  return ok();
}

// A cgroup of another's: what limits, freezes or ends this container would do so to that one too. systemd's scopes are always new.
Status check_cgroup(const Context& context, const Container& container) {
  if (context.systemd_cgroup) return ok();
  auto pids = processes_in(container.cgroup);
  if (!pids) return std::move(pids.error());
  if (!pids->empty()) return Error{"linux.cgroupsPath: " + container.cgroup + " is not empty: process " + std::to_string(pids->front()) + " is in it; give the container a cgroup of its own", EBUSY};
  auto frozen = is_frozen(container.cgroup);
  if (frozen && *frozen) return Error{"linux.cgroupsPath: " + container.cgroup + " is frozen, so that no container can start in it", EBUSY};
  return ok();
}

Status launch_into(const Context& context, Made& made, const Arguments& arguments, bool stays) {
  Container& container = made.container;
  auto config = read_config(container.bundle);
  if (!config) return std::move(config.error());
  made.config = std::move(*config);
  MOORING_TRY(check_terminal(arguments, made.config, stays));
  auto preserved = preserved_fds(arguments);
  if (!preserved) return std::move(preserved.error());
  MOORING_TRY(find_cgroup(context, made.config, container));
  if (auto free = check_cgroup(context, container); !free) {
    container.cgroup.clear();  // not ours to remove
    return free;
  }
  if (mkfifo(container.fifo().c_str(), 0600) != 0) return sys_error("make " + container.fifo());
  // Without a pid for now: should this process be killed, delete still finds what it has made.
  MOORING_TRY(keep_config(made.config, container));
  const UniqueFd gate(open(container.fifo().c_str(), O_RDWR | O_CLOEXEC));
  if (!gate) return sys_error("open " + container.fifo());

  auto launched = launch({.id = container.id, .bundle = container.bundle, .stdin_fd = 0, .stdout_fd = 1, .stderr_fd = 2, .dies_with_caller = false, .callers_keyring = arguments.has("no-new-keyring"), .preserve_fds = *preserved, .start_gate = gate.get(), .systemd_cgroup = context.systemd_cgroup});
  if (!launched) return std::move(launched.error());
  made.launched = std::move(*launched);
  container.pid = made.launched.pid;
  container.start_time = start_time_of(container.pid);
  if (arguments.has("console-socket")) MOORING_TRY(send_console(arguments.value("console-socket"), made.launched.console.get()));
  if (arguments.has("pidfd-socket")) MOORING_TRY(send_pidfd(arguments.value("pidfd-socket"), made.launched.pidfd.get()));
  MOORING_TRY(save(container));
  if (arguments.has("pid-file")) MOORING_TRY(write_whole(arguments.value("pid-file"), std::to_string(container.pid)));
  return ok();
}

// Everything up to the start. On failure nothing is left.
Result<Made> make(const Context& context, const Arguments& arguments, bool stays) {
  Made made;
  Container& container = made.container;
  auto lock = begin_container(context, arguments, container);
  if (!lock) return std::move(lock.error());
  made.lock = std::move(*lock);
  auto done = launch_into(context, made, arguments, stays);
  for (const std::string& warning : made.launched.warnings) context.warn(warning);
  if (done) return made;
  if (container.pid > 0) {
    kill(container.pid, SIGKILL);  // our child, not reaped
    waitpid(container.pid, nullptr, 0);
  }
  // The first error is the one to tell; what can't be removed after it is told by the next create of this id.
  if (!container.cgroup.empty()) (void)remove_cgroups(container.cgroup);
  if (made.launched.pid > 0 && !container.scope.empty()) (void)stop_unit(container.scope);
  (void)remove_folder(container);
  return std::move(done.error());
}

// Lets its process run its program, and waits until it does or has ended.
Status open_gate(const Container& container, ContainerLock& lock) {
  const UniqueFd gate(open(container.fifo().c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!gate) return errno == ENXIO ? Status(Error{"container \"" + container.id + "\" has ended before it was started", ESRCH}) : Status(sys_error("open " + container.fifo()));
  if (write(gate.get(), "0", 1) != 1) return sys_error("write to " + container.fifo());
  if (unlink(container.fifo().c_str()) != 0) return sys_error("remove " + container.fifo());
  lock.release();  // from here on it is a running one, which may be removed while its hooks take their time
  pollfd reader{gate.get(), 0, 0};  // POLLERR: its process has let go of the other end, by execve or by its exit
  while (poll(&reader, 1, -1) < 0 && errno == EINTR) {
  }
  return ok();
}

Status start_container(const Container& container, ContainerLock& lock, const Config& config) {
  MOORING_TRY(open_gate(container, lock));
  auto done = run_hooks("poststart", config.hooks.poststart, state_text(config, container.id, container.bundle, "running", container.pid));
  if (!done) MOORING_TRY(signal_all(container.cgroup, SIGKILL));  // it is stopped then (runtime.md, "Lifecycle", 11)
  return done;
}

}  // namespace

Result<unsigned> preserved_fds(const Arguments& arguments) {
  const std::string text = arguments.value("preserve-fds", "0");
  char* end = nullptr;
  const unsigned long count = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || *end || count > 1000) return Error{"--preserve-fds: \"" + text + "\" is not a number of descriptors"};
  for (unsigned fd = 3; fd < 3 + count; ++fd)
    if (fcntl(static_cast<int>(fd), F_GETFD) < 0) return Error{"--preserve-fds: descriptor " + std::to_string(fd) + " is not open", EBADF};
  return static_cast<unsigned>(count);
}

Result<int> create(const Context& context, const Arguments& arguments) {
  auto made = make(context, arguments, false);
  if (!made) return std::move(made.error());
  return 0;
}

Result<int> start(const Context& context, const Arguments& arguments) {
  auto container = load_container(context.root, arguments.operands()[0]);
  if (!container) return std::move(container.error());
  auto lock = lock_container(*container);
  if (!lock) return std::move(lock.error());
  // Again, now that nobody else starts or removes it.
  container = load_container(context.root, container->id);
  if (!container) return std::move(container.error());
  if (const State now = container->state(true); now != State::created) return Error{"container \"" + container->id + "\" is " + name_of(now) + ", only a created one can be started", EINVAL};
  auto config = read_config(container->folder);
  if (!config) return std::move(config.error());
  MOORING_TRY(start_container(*container, *lock, *config));
  return 0;
}

Result<int> run(const Context& context, const Arguments& arguments) {
  const bool stays = !arguments.has("detach");
  if (stays) hold_signals();
  auto made = make(context, arguments, stays);
  if (!made) return std::move(made.error());
  auto started = start_container(made->container, made->lock, made->config);
  if (!started) {
    made->lock.release();  // what removes it takes the lock itself
    MOORING_TRY(remove_after_run(context, made->container));
    return std::move(started.error());
  }
  if (!stays) return 0;
  auto code = stay_with(made->container.pid, arguments.has("console-socket") ? -1 : made->launched.console.get());
  if (code && !arguments.has("keep")) MOORING_TRY(remove_after_run(context, made->container));
  return code;
}

}  // namespace mooring::oci
