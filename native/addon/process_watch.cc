#include "addon/process_watch.h"

#include <sys/epoll.h>

#include "addon/environment.h"
#include "addon/pidfd.h"
#include "monitor/start_time.h"

namespace mooring {

namespace {

class ProcessSource : public Source {
 public:
  explicit ProcessSource(UniqueFd pidfd) : pidfd_(std::move(pidfd)) {}
  int fd() const override { return pidfd_.get(); }
  uint32_t interest() const override { return EPOLLIN; }
  Verdict ready() override {
    siginfo_t status;
    reap(pidfd_, status);
    return {.tell = true, .done = true};
  }
  const UniqueFd& pidfd() const { return pidfd_; }

 private:
  UniqueFd pidfd_;
};

class ProcessListener : public Listener {
 public:
  ProcessListener(std::shared_ptr<ProcessSource> source, Napi::Function on_exit) : source_(std::move(source)), on_exit_(Napi::Persistent(on_exit)) {}
  After tell(Napi::Env env) override {
    Environment::call(env, on_exit_);
    return After::kClose;
  }
  const ProcessSource& source() const { return *source_; }

 private:
  std::shared_ptr<ProcessSource> source_;
  Napi::FunctionReference on_exit_;
};

/// The process's pidfd; an empty one when it is gone, or when the pid is another process's by now.
Result<UniqueFd> open_process(pid_t pid, long long start_time) {
  auto pidfd = open_pidfd(pid);
  if (!pidfd) {
    if (pidfd.error().code == ESRCH) return UniqueFd();
    return pidfd;
  }
  // Read after opening. The process that was meant was there before; if it is there now, it was there in between, so the pidfd is its.
  const auto found = start_time_of(pid);
  if (!found) {
    if (found.error().code == ENOENT || found.error().code == ESRCH) return UniqueFd();
    return found.error();
  }
  if (*found != start_time) return UniqueFd();
  if (has_ended(*pidfd)) {
    siginfo_t status;
    reap(*pidfd, status);
    return UniqueFd();
  }
  return pidfd;
}

}  // namespace

Napi::Value watch_process(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 3 || !info[0].IsNumber() || !info[1].IsNumber() || !info[2].IsFunction())
    return throw_type_error(env, "watchProcess wants a pid, a start time and a function");
  auto pidfd = open_process(info[0].As<Napi::Number>().Int32Value(), info[1].As<Napi::Number>().Int64Value());
  if (!pidfd) return throw_js(env, pidfd.error());
  if (!*pidfd) return env.Undefined();
  auto source = std::make_shared<ProcessSource>(std::move(*pidfd));
  const auto id = Environment::of(env).listen(source, std::make_shared<ProcessListener>(source, info[2].As<Napi::Function>()));
  if (!id) return throw_js(env, id.error());
  return Napi::Number::New(env, static_cast<double>(*id));
}

Napi::Value signal_process(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 2 || !info[0].IsNumber() || !info[1].IsNumber()) return throw_type_error(env, "signalProcess wants a watch and a signal");
  const auto listener = std::dynamic_pointer_cast<ProcessListener>(Environment::of(env).find(info[0].As<Napi::Number>().Int64Value()));
  if (!listener) return Napi::Boolean::New(env, false);
  const int signal = info[1].As<Napi::Number>().Int32Value();
  if (::pidfd_send_signal(listener->source().pidfd().get(), signal, nullptr, 0) == 0) return Napi::Boolean::New(env, true);
  if (errno == ESRCH) return Napi::Boolean::New(env, false);
  return throw_js(env, sys_error("pidfd_send_signal " + std::to_string(signal)));
}

}  // namespace mooring
