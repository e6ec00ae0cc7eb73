#include "birth.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "channel.h"
#include "seccomp_filter.h"

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
  std::string why;
  if (status.si_status == SIGKILL) why = " (out of memory below linux.resources.memory.limit?)";
  if (status.si_status == SIGPROF) why = " (libseccomp has made no filter of linux.seccomp in " + std::to_string(longest_compilation) + " s of processor time)";
  return "signal " + std::to_string(status.si_status) + why;
}

struct Heard {
  Launched launched;
  bool standing = false;
  bool ready = false;
  std::optional<Error> error;
};

// Takes in what both processes say: until init stands, where `to_end` is false, else until both have let go of the channel, the builder by its exit, init by its execve or exit.
void listen(int socket, bool to_end, Heard& heard) {
  while (to_end || !heard.standing || heard.launched.pid <= 0) {
    auto packet = receive_packet(socket);
    if (!packet) {
      if (packet.error().code && !heard.error) heard.error = std::move(packet.error());
      return;
    }
    switch (packet->kind) {
      case Message::started:
        heard.launched.pid = packet->number;
        heard.launched.pidfd = std::move(packet->fd);
        heard.launched.memory_cgroup = std::move(packet->text);
        break;
      case Message::standing:
        heard.standing = true;
        break;
      case Message::console:
        heard.launched.console = std::move(packet->fd);
        break;
      case Message::ready:
        heard.ready = true;
        break;
      case Message::warning:
        heard.launched.warnings.push_back(std::move(packet->text));
        break;
      case Message::failed:
        if (!heard.error) heard.error = Error{std::move(packet->text), packet->number};
        break;
      case Message::stream:
      case Message::order:
        break;  // these go the other way
    }
  }
}

// The error of what was heard, once the process is reaped, if there is one.
Error bury(Heard& heard, const std::string& what, const std::string& builder_end) {
  if (heard.launched.pid > 0) {
    kill(heard.launched.pid, SIGKILL);  // our child and not yet reaped, so the pid is still its own
    const siginfo_t ended = reap(P_PID, heard.launched.pid);
    if (!heard.error) heard.error = Error{what + " ended while it was set up: " + describe(ended), ECHILD};
  }
  if (!heard.error) heard.error = Error{"the builder of " + what + " ended early: " + builder_end, ECHILD};
  return std::move(*heard.error);
}

// Runs `build` in a fork, which has the channel's other end, until all is heard.
Status labour(const std::function<void(int channel)>& build, bool to_end, UniqueFd& ours, Heard& heard, std::string& builder_end) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return sys_error("make a socket pair");
  ours.reset(ends[0]);
  UniqueFd theirs(ends[1]);
  const pid_t builder = fork();
  if (builder < 0) return sys_error("fork");
  if (builder == 0) {
    ours.reset();  // whoever listens at the other end is to hear when it is closed
    build(theirs.release());
    _exit(1);
  }
  theirs.reset();
  listen(ours.get(), to_end, heard);
  builder_end = describe(reap(P_PID, builder));
  return ok();
}

}  // namespace

Result<Launched> give_birth_by(const std::function<void(int channel)>& build, const std::string& what) {
  UniqueFd ours;
  Heard heard;
  std::string builder_end;
  MOORING_TRY(labour(build, true, ours, heard, builder_end));
  if (!heard.error && heard.launched.pid > 0 && heard.ready) return std::move(heard.launched);
  return bury(heard, what, builder_end);
}

Result<Sandbox> prepare_by(const std::function<void(int channel)>& build, const std::string& what) {
  Sandbox sandbox;
  Heard heard;
  std::string builder_end;
  MOORING_TRY(labour(build, false, sandbox.channel, heard, builder_end));
  if (heard.error || heard.launched.pid <= 0 || !heard.standing) return bury(heard, what, builder_end);
  sandbox.process = std::move(heard.launched);
  return sandbox;
}

Result<Launched> conclude(Sandbox sandbox, const Status& ordered, const std::string& what) {
  Heard heard{.launched = std::move(sandbox.process), .standing = true, .ready = false, .error = {}};
  listen(sandbox.channel.get(), true, heard);
  if (!ordered && !heard.error) heard.error = ordered.error();
  if (!heard.error && heard.ready) return std::move(heard.launched);
  return bury(heard, what, "it had ended well");
}

void end_unwanted(Sandbox sandbox) {
  sandbox.channel.reset();
  kill(sandbox.process.pid, SIGKILL);  // our child and not yet reaped
  reap(P_PID, sandbox.process.pid);
}

}  // namespace mooring
