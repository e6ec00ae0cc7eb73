#include "seccomp_agent.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "send_descriptor.h"

namespace mooring {
namespace {

constexpr const char* label = "linux.seccomp.listenerPath: hand the listener over";

// The specification's "container process state".
std::string text_of(const AgentState& state) {
  nlohmann::json text = {{"ociVersion", "1.2.0"}, {"fds", {"seccompFd"}}, {"pid", state.pid}, {"state", nlohmann::json::parse(state.container_state)}};
  if (!state.metadata.empty()) text["metadata"] = state.metadata;
  return text.dump();
}

}  // namespace

Result<pid_t> pid_on_host() {
  char text[16] = {};
  if (readlink("/proc/self", text, sizeof text - 1) < 0) return sys_error("read /proc/self");
  return static_cast<pid_t>(std::atoi(text));
}

Status AgentMessenger::stand_by(UniqueFd agent, const AgentState& state) {
  agent_ = std::move(agent);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return sys_error("make a pipe");
  reading_.reset(ends[0]);
  writing_.reset(ends[1]);
  const std::string text = text_of(state);
  const pid_t parent = getpid();
  // One table of descriptors for both, so that the number is all that there is to tell.
  helper_ = static_cast<pid_t>(syscall(SYS_clone, CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  if (helper_ < 0) return sys_error("clone a messenger");
  if (helper_ > 0) return ok();
  int listener = -1;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(ESRCH);
  if (read(reading_.get(), &listener, sizeof listener) != sizeof listener) _exit(EPIPE);
  const auto sent = send_descriptor(agent_.get(), text, listener, label);
  _exit(sent ? 0 : sent.error().code);
}

Status AgentMessenger::send(UniqueFd listener) {
  const int number = listener.get();
  if (write(writing_.get(), &number, sizeof number) != sizeof number) return sys_error(label);
  int status = 0;
  while (waitpid(helper_, &status, 0) < 0)
    if (errno != EINTR) return sys_error(std::string(label) + ": wait for the messenger");
  agent_.reset();
  reading_.reset();
  writing_.reset();
  if (status == 0) return ok();
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
  return Error{std::string(label) + ": " + std::strerror(code), code};
}

}  // namespace mooring
