#include "addon/spawn_monitor.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/epoll.h>

#include <optional>
#include <string>
#include <vector>

#include "addon/environment.h"
#include "addon/pidfd.h"

namespace mooring {

namespace {

struct Spawned {
  UniqueFd pidfd;
  UniqueFd status;  // read end, non-blocking
};

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

/// A session of its own, default signals, an empty mask, no environment, and of our descriptors only the status pipe's write end.
/// posix_spawn does not copy our page tables: it suspends this thread, and only this one, until the child has exec'ed.
Result<Spawned> spawn(const std::vector<std::string>& command) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return sys_error("pipe2");
  UniqueFd status(pipe[0]);
  const UniqueFd write_end(pipe[1]);
  if (::fcntl(status.get(), F_SETFL, O_NONBLOCK) != 0) return sys_error("fcntl F_SETFL the status pipe");

  SpawnPlan plan;
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &all);
  int failure = ::posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  if (failure == 0) failure = ::posix_spawn_file_actions_adddup2(&plan.actions, write_end.get(), kStatusFd);
  for (int fd = 0; fd < kStatusFd && failure == 0; ++fd) failure = ::posix_spawn_file_actions_addopen(&plan.actions, fd, "/dev/null", O_RDWR, 0);
  if (failure == 0) failure = ::posix_spawn_file_actions_addclosefrom_np(&plan.actions, kStatusFd + 1);

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
  return Spawned{std::move(*pidfd), std::move(status)};
}

std::string describe_end(const siginfo_t& status) {
  if (status.si_code == CLD_EXITED) return "it exited with status " + std::to_string(status.si_status);
  return "signal " + std::to_string(status.si_status) + " ended it";
}

/// Reads the status pipe until the line is whole, then follows the monitor's pidfd to reap it, for as long as it lives.
class MonitorSource : public Source {
 public:
  explicit MonitorSource(Spawned spawned) : pidfd_(std::move(spawned.pidfd)), status_(std::move(spawned.status)) {}
  int fd() const override { return status_ ? status_.get() : pidfd_.get(); }
  uint32_t interest() const override { return EPOLLIN; }
  void advance() override { status_.reset(); }

  Verdict ready() override {
    if (status_) return read_status();
    siginfo_t status;
    const bool reaped = reap(pidfd_, status);
    if (has_report_) return {.done = true};
    ended_ = reaped ? describe_end(status) : "another part of this process reaped it";
    return {.tell = true, .done = true};
  }

  // Settled by the time that the environment is told.
  bool has_report() const { return has_report_; }
  const std::string& report() const { return report_; }
  const std::string& ended() const { return ended_; }

 private:
  Verdict read_status() {
    char text[4096];
    for (;;) {
      const ssize_t count = ::read(status_.get(), text, sizeof text);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) return {};
      if (count <= 0) return {.next = true};  // it ended, or is about to: the pidfd will tell
      report_.append(text, static_cast<size_t>(count));
      if (const size_t end = report_.find('\n'); end != std::string::npos) {
        report_.resize(end);
        has_report_ = true;
        return {.tell = true, .next = true};
      }
    }
  }

  UniqueFd pidfd_;
  UniqueFd status_;
  bool has_report_ = false;
  std::string report_;
  std::string ended_ = "it was lost sight of";
};

class MonitorListener : public Listener {
 public:
  MonitorListener(std::shared_ptr<MonitorSource> source, Napi::Promise::Deferred deferred) : source_(std::move(source)), deferred_(deferred) {}
  After tell(Napi::Env env) override {
    const Napi::Object outcome = Napi::Object::New(env);
    if (source_->has_report())
      outcome.Set("report", source_->report());
    else
      outcome.Set("ended", source_->ended());
    deferred_.Resolve(outcome);
    return After::kClose;
  }

 private:
  std::shared_ptr<MonitorSource> source_;
  Napi::Promise::Deferred deferred_;
};

class SpawnWorker : public Napi::AsyncWorker {
 public:
  SpawnWorker(Napi::Env env, std::vector<std::string> command) : AsyncWorker(env, "mooring.spawnMonitor"), deferred_(Napi::Promise::Deferred::New(env)), command_(std::move(command)) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override { spawned_.emplace(spawn(command_)); }

  void OnOK() override {
    if (!*spawned_) {
      deferred_.Reject(js_error(Env(), spawned_->error()));
      return;
    }
    auto source = std::make_shared<MonitorSource>(std::move(**spawned_));
    const auto id = Environment::of(Env()).listen(source, std::make_shared<MonitorListener>(source, deferred_));
    if (!id) deferred_.Reject(js_error(Env(), id.error()));
  }

 private:
  Napi::Promise::Deferred deferred_;
  const std::vector<std::string> command_;
  std::optional<Result<Spawned>> spawned_;
};

}  // namespace

Napi::Value spawn_monitor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 2 || !info[0].IsString() || !info[1].IsArray()) return throw_type_error(env, "spawnMonitor wants a path and an array of arguments");
  const Napi::Array arguments = info[1].As<Napi::Array>();
  std::vector<std::string> command{info[0].As<Napi::String>()};
  for (uint32_t i = 0; i < arguments.Length(); ++i) {
    const Napi::Value word = arguments[i];
    if (!word.IsString()) return throw_type_error(env, "spawnMonitor wants arguments that are strings");
    command.push_back(word.As<Napi::String>());
  }
  auto* worker = new SpawnWorker(env, std::move(command));
  worker->Queue();
  return worker->promise();
}

}  // namespace mooring
