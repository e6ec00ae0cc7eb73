#include "hooks.h"

#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "process.h"
#include "unique_fd.h"

namespace mooring {
namespace {

std::vector<char*> c_strings(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& one : strings) pointers.push_back(const_cast<char*>(one.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void run_program(const Hook& hook, const std::vector<std::string>& otherwise, int input, int output) {
  const auto args = c_strings(hook.args), env = c_strings(hook.env ? *hook.env : otherwise);
  if (reset_signals() && dup2(input, 0) == 0 && dup2(output, 1) == 1 && dup2(output, 2) == 2 && close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) execve(hook.path.c_str(), args.data(), env.data());
  dprintf(output, "%s", std::strerror(errno));
  _exit(127);
}

// Files in memory instead of pipes: a hook that neither reads nor stops writing holds nothing up.
Status run_hook(const Hook& hook, const std::string& state, const std::vector<std::string>& env) {
  const UniqueFd input(memfd_create("state", MFD_CLOEXEC)), output(memfd_create("output", MFD_CLOEXEC));
  if (!input || !output) return sys_error("make the hook's stdio");
  if (write(input.get(), state.data(), state.size()) != static_cast<ssize_t>(state.size()) || lseek(input.get(), 0, SEEK_SET) != 0) return sys_error("write the hook's state");
  const pid_t pid = fork();
  if (pid < 0) return sys_error("fork");
  if (pid == 0) run_program(hook, env, input.get(), output.get());
  bool late = false;
  if (hook.timeout > 0) {
    const UniqueFd handle(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    pollfd ended{handle.get(), POLLIN, 0};
    late = !handle || poll(&ended, 1, hook.timeout * 1000) == 0;
    if (late) kill(pid, SIGKILL);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (late) return Error{"took longer than " + std::to_string(hook.timeout) + " s", ETIMEDOUT};
  if (status == 0) return ok();
  char said[1000];
  const ssize_t length = pread(output.get(), said, sizeof said, 0);
  std::string text = WIFEXITED(status) ? "exit status " + std::to_string(WEXITSTATUS(status)) : "signal " + std::to_string(WTERMSIG(status));
  if (length > 0) text += ": " + std::string(said, static_cast<std::size_t>(length));
  return Error{text, ECHILD};
}

}  // namespace

std::string state_text(const Config& config, const std::string& id, const std::string& bundle, const std::string& status, pid_t pid) {
  nlohmann::json state = {{"ociVersion", "1.2.0"}, {"id", id}, {"status", status}, {"bundle", bundle}};
  if (pid > 0) state["pid"] = pid;
  if (!config.annotations.empty()) state["annotations"] = config.annotations;
  return state.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);  // a path may be no UTF-8
}

Status run_hooks(const char* kind, const std::vector<Hook>& hooks, const std::string& state, const std::vector<std::string>& env) {
  for (const Hook& hook : hooks) {
    auto done = run_hook(hook, state, env);
    if (!done) return Error{std::string("hooks.") + kind + ": " + hook.path + ": " + done.error().message, done.error().code};
  }
  return ok();
}

void run_all_hooks(const char* kind, const std::vector<Hook>& hooks, const std::string& state, const std::function<void(const std::string&)>& warn) {
  for (const Hook& hook : hooks)
    if (auto done = run_hooks(kind, {hook}, state); !done) warn(done.error().message);
}

}  // namespace mooring
