#include "addon/spawn_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "addon/pidfd.h"

namespace mooring {

namespace {

Status make_pipe(UniqueFd& read_end, UniqueFd& write_end) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return sys_error("pipe2");
  read_end.reset(ends[0]);
  write_end.reset(ends[1]);
  return ok();
}

/// posix_spawn's file actions and attributes, which have to be destroyed.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnPlan() {
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

// posix_spawn does not copy our page tables: it suspends this thread, and only this one, until the child has exec'ed.
Result<Spawned> spawn(const std::vector<std::string>& command, bool with_order) {
  Spawned spawned;
  UniqueFd status, order;
  MOORING_TRY(make_pipe(spawned.status, status));
  if (with_order) MOORING_TRY(make_pipe(order, spawned.order));
  if (::fcntl(spawned.status.get(), F_SETFL, O_NONBLOCK) != 0) return sys_error("fcntl F_SETFL the status pipe");

  SpawnPlan plan;
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &all);
  int failure = ::posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  // Off the descriptors that they are to become, or one could take the other's place.
  const UniqueFd status_end(::fcntl(status.get(), F_DUPFD_CLOEXEC, kStatusFd + 2)), order_end(with_order ? ::fcntl(order.get(), F_DUPFD_CLOEXEC, kStatusFd + 2) : -1);
  if (!status_end || (with_order && !order_end)) return sys_error("copy a pipe's descriptor");
  if (failure == 0) failure = ::posix_spawn_file_actions_adddup2(&plan.actions, status_end.get(), kStatusFd);
  if (failure == 0 && with_order) failure = ::posix_spawn_file_actions_adddup2(&plan.actions, order_end.get(), kStatusFd + 1);
  for (int fd = 0; fd < kStatusFd && failure == 0; ++fd) failure = ::posix_spawn_file_actions_addopen(&plan.actions, fd, "/dev/null", O_RDWR, 0);
  if (failure == 0) failure = ::posix_spawn_file_actions_addclosefrom_np(&plan.actions, kStatusFd + 1 + with_order);

  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  char* environment[] = {nullptr};
  pid_t pid = -1;
  if (failure == 0) failure = ::posix_spawn(&pid, arguments[0], &plan.actions, &plan.attributes, arguments.data(), environment);
  if (failure != 0) {
    errno = failure;
    return sys_error("posix_spawn " + command[0]);
  }
  auto pidfd = open_pidfd(pid);  // ours to reap, so the pid is still its
  if (!pidfd) return pidfd.error();
  spawned.pidfd = std::move(*pidfd);
  return spawned;
}

}  // namespace mooring
