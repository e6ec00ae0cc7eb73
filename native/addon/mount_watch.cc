#include "addon/mount_watch.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include "addon/environment.h"
#include "addon/pidfd.h"

namespace mooring {

namespace {

/// An open mountinfo. It keeps the mount namespace alive, and all that is mounted there.
class MountSource : public Source {
 public:
  explicit MountSource(UniqueFd mountinfo) : mountinfo_(std::move(mountinfo)) {}
  int fd() const override { return mountinfo_.get(); }
  uint32_t interest() const override { return EPOLLPRI; }  // always readable; a change is EPOLLPRI | EPOLLERR
  // Nothing to read: the kernel takes note of the change that it reports in the poll itself (mounts_poll in fs/proc_namespace.c).
  Verdict ready() override { return {.tell = true}; }

 private:
  UniqueFd mountinfo_;
};

class ChangeListener : public Listener {
 public:
  explicit ChangeListener(Napi::Function on_change) : on_change_(Napi::Persistent(on_change)) {}
  After tell(Napi::Env env) override {
    Environment::call(env, on_change_);
    return After::kKeep;
  }

 private:
  Napi::FunctionReference on_change_;
};

class EndSource : public Source {
 public:
  explicit EndSource(UniqueFd pidfd) : pidfd_(std::move(pidfd)) {}
  int fd() const override { return pidfd_.get(); }
  uint32_t interest() const override { return EPOLLIN; }
  Verdict ready() override { return {.tell = true, .done = true}; }

 private:
  UniqueFd pidfd_;
};

/// Stands for the whole watch: when this ends, so does the mountinfo's.
class EndListener : public Listener {
 public:
  EndListener(Environment& environment, SourceId mounts) : environment_(environment), mounts_(mounts) {}
  ~EndListener() override { environment_.close(mounts_); }
  After tell(Napi::Env) override { return After::kClose; }

 private:
  Environment& environment_;
  const SourceId mounts_;
};

}  // namespace

Napi::Value watch_mounts(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 2 || !info[0].IsNumber() || !info[1].IsFunction()) return throw_type_error(env, "watchMounts wants a pid and a function");
  const pid_t pid = info[0].As<Napi::Number>().Int32Value();
  auto pidfd = open_pidfd(pid);
  if (!pidfd) {
    if (pidfd.error().code == ESRCH) return env.Undefined();
    return throw_js(env, pidfd.error());
  }
  const std::string path = "/proc/" + std::to_string(pid) + "/mountinfo";
  UniqueFd mountinfo(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int failure = mountinfo ? 0 : errno;
  if (has_ended(*pidfd)) return env.Undefined();  // still alive means that the path was the same process's
  if (!mountinfo) {
    // A process on its way out lets go of its namespaces and its root before it counts as ended (mounts_open_common in fs/proc_namespace.c).
    if (failure == EINVAL || failure == ENOENT || failure == ESRCH) return env.Undefined();
    errno = failure;
    return throw_js(env, sys_error("open " + path));
  }

  Environment& environment = Environment::of(env);
  const auto mounts = environment.listen(std::make_shared<MountSource>(std::move(mountinfo)), std::make_shared<ChangeListener>(info[1].As<Napi::Function>()));
  if (!mounts) return throw_js(env, mounts.error());
  const auto end = environment.listen(std::make_shared<EndSource>(std::move(*pidfd)), std::make_shared<EndListener>(environment, *mounts));
  if (!end) return throw_js(env, end.error());
  return Napi::Number::New(env, static_cast<double>(*end));
}

}  // namespace mooring
