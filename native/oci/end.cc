#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "command.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_control.h"
#include "runtime/hooks.h"
#include "runtime/systemd_bus.h"
#include "runtime/unique_fd.h"

namespace mooring::oci {
namespace {

// "9", "0" (which only asks), "KILL", "SIGKILL", "RTMIN+3".
Result<int> signal_number(const std::string& text) {
  char* end = nullptr;
  const long number = std::strtol(text.c_str(), &end, 10);
  if (!text.empty() && !*end && number >= 0 && number < NSIG) return static_cast<int>(number);
  const std::string name = text.starts_with("SIG") ? text.substr(3) : text;
  const bool from_least = name.starts_with("RTMIN");
  if (from_least || name.starts_with("RTMAX")) {  // "RTMIN+3", "RTMAX-1"
    const long offset = std::strtol(name.c_str() + 5, &end, 10), signal = (from_least ? SIGRTMIN : SIGRTMAX) + offset;
    if (!*end && signal >= SIGRTMIN && signal <= SIGRTMAX) return static_cast<int>(signal);
  }
  for (int signal = 1; signal < SIGRTMIN; ++signal)
    if (const char* known = sigabbrev_np(signal); known && name == known) return signal;
  return Error{"\"" + text + "\" is no signal"};
}

Status signal_first(const Container& container, int signal) {
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, container.pid, 0)));
  // Checked after it was taken hold of: from here on the number can't become another's.
  if (!process || start_time_of(container.pid) != container.start_time) return Error{"container not running: \"" + container.id + "\" has ended", ESRCH};
  return syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0 ? ok() : Status(sys_error("signal container \"" + container.id + "\""));
}

// Where the container shares its pid namespace with others, its processes outlive the first of them.
bool lives_beyond_its_first(const Container& container) {
  const auto config = read_config(container.folder);
  if (!config || (config->namespaces.created & CLONE_NEWPID)) return false;
  const auto pids = processes_in(container.cgroup);
  return pids && !pids->empty();
}

// What is known of one whose state is damaged.
Result<Container> container_of_config(const std::string& root, const std::string& id) {
  Container container;
  container.id = id;
  container.folder = root + "/" + id;
  auto config = read_config(container.folder);
  if (config) container.cgroup = cgroup_path_of(*config, id);
  return container;
}

}  // namespace

Result<int> kill_container(const Context& context, const Arguments& arguments) {
  auto container = load_container(context.root, arguments.operands()[0]);
  if (!container) return std::move(container.error());
  auto signal = signal_number(arguments.operands().size() > 1 ? arguments.operands()[1] : "TERM");
  if (!signal) return std::move(signal.error());
  if (!container->cgroup.empty() && (arguments.has("all") || (*signal == SIGKILL && lives_beyond_its_first(*container)))) {
    MOORING_TRY(signal_all(container->cgroup, *signal));
    return 0;
  }
  if (const State now = container->state(); now == State::creating || now == State::stopped) return Error{"container not running: \"" + container->id + "\" is " + name_of(now), ESRCH};
  MOORING_TRY(signal_first(*container, *signal));
  // A frozen process dies of SIGKILL once it is thawed (cgroup v1).
  if (*signal == SIGKILL && container->state() == State::paused) MOORING_TRY(set_frozen(container->cgroup, false));
  return 0;
}

Status remove_container(const Context& context, const Container& container, bool force) {
  const State now = container.state(true);
  if (now != State::stopped && now != State::created && !force) return Error{"container \"" + container.id + "\" is " + name_of(now) + ", only a stopped one can be deleted (or with --force)", EBUSY};
  if (!container.cgroup.empty()) {
    if (now == State::paused) MOORING_TRY(set_frozen(container.cgroup, false));
    // Also those that outlive the first process, where the container has no pid namespace of its own.
    MOORING_TRY(signal_all(container.cgroup, SIGKILL));
    // systemd would otherwise keep a scope that it has not seen end.
    if (!container.scope.empty()) MOORING_TRY(stop_unit(container.scope));
    MOORING_TRY(remove_cgroups(container.cgroup));
  }
  if (auto config = read_config(container.folder)) run_all_hooks("poststop", config->hooks.poststop, state_text(*config, container.id, container.bundle, "stopped", 0), context.warn);
  return remove_folder(container);
}

Status remove_after_run(const Context& context, const Container& container) {
  auto lock = lock_container(container);
  if (!lock) return lock.error().code == ENOENT ? ok() : Status(std::move(lock.error()));
  return remove_container(context, container, true);
}

Result<int> delete_container(const Context& context, const Arguments& arguments) {
  const bool force = arguments.has("force");
  const std::string& id = arguments.operands()[0];
  auto container = load_container(context.root, id);
  if (!container && force && container.error().code == EBADMSG) container = container_of_config(context.root, id);
  const auto missing = [&](Error& error) { return force && error.code == ENOENT ? Result<int>(0) : std::move(error); };
  if (!container) return missing(container.error());
  if (container->state() == State::creating) {
    if (!force) return Error{"container \"" + id + "\" is being created; delete --force ends that", EBUSY};
    if (!container->cgroup.empty()) MOORING_TRY(signal_all(container->cgroup, SIGKILL));
  }
  auto lock = lock_container(*container);
  if (!lock) return missing(lock.error());
  // Again: it may have been started meanwhile.
  if (auto now = load_container(context.root, id)) container = std::move(now);
  MOORING_TRY(remove_container(context, *container, force));
  return 0;
}

}  // namespace mooring::oci
