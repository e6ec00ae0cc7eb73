#include "birth.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "channel.h"

namespace mooring {
namespace {

siginfo_t reap(idtype_t type, int id) {
  siginfo_t status{};
  while (waitid(type, static_cast<id_t>(id), &status, WEXITED) < 0 && errno == EINTR) {
  }
  return status;
}

std::string describe(const siginfo_t& status) {
  if (status.si_code == CLD_EXITED) return "exit status " + std::to_string(status.si_status);
  return std::string("signal ") + std::to_string(status.si_status) + (status.si_status == SIGKILL ? " (out of memory below linux.resources.memory.limit?)" : "");
}

struct Heard {
  Launched launched;
  bool ready = false;
  std::optional<Error> error;
};

// Listens until both processes have let go of the channel: the builder by its exit, init by its execve or exit.
Heard listen_to_end(int socket) {
  Heard heard;
  for (;;) {
    auto packet = receive_packet(socket);
    if (!packet) {
      if (packet.error().code && !heard.error) heard.error = std::move(packet.error());
      return heard;
    }
    switch (packet->kind) {
      case Message::started:
        heard.launched.pid = packet->number;
        heard.launched.pidfd = std::move(packet->fd);
        heard.launched.memory_cgroup = std::move(packet->text);
        break;
      case Message::console:
        heard.launched.console = std::move(packet->fd);
        break;
      case Message::ready:
        heard.ready = true;
        break;
      case Message::failed:
        if (!heard.error) heard.error = Error{std::move(packet->text), packet->number};
        break;
    }
  }
}

}  // namespace

Result<Launched> give_birth_by(const std::function<void(int channel)>& build, const std::string& what) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return sys_error("make a socket pair");
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const pid_t builder = fork();
  if (builder < 0) return sys_error("fork");
  if (builder == 0) {
    build(theirs.get());
    _exit(1);
  }
  theirs.reset();

  Heard heard = listen_to_end(ours.get());
  const siginfo_t built = reap(P_PID, builder);
  if (!heard.error && heard.launched.pid > 0 && heard.ready) return std::move(heard.launched);

  if (heard.launched.pid > 0) {
    kill(heard.launched.pid, SIGKILL);  // our child and not yet reaped, so the pid is still its own
    const siginfo_t ended = reap(P_PID, heard.launched.pid);
    if (!heard.error) heard.error = Error{what + " ended while it was set up: " + describe(ended), ECHILD};
  }
  if (!heard.error) heard.error = Error{"the builder of " + what + " ended early: " + describe(built), ECHILD};
  return std::move(*heard.error);
}

}  // namespace mooring
