#include "addon/network_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>

#include <optional>
#include <thread>

namespace mooring {

namespace {

Result<UniqueFd> open_socket(int protocol) {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!socket) return sys_error("open a netlink socket");
  return socket;
}

/// The result of `work` on a thread made for it.
template <typename Work>
Result<UniqueFd> on_own_thread(Work work) {
  std::optional<Result<UniqueFd>> result;
  std::thread([&] { result.emplace(work()); }).join();
  return std::move(*result);
}

class CreateWorker : public Napi::AsyncWorker {
 public:
  explicit CreateWorker(Napi::Env env) : AsyncWorker(env, "mooring.createNetworkNamespace"), deferred_(Napi::Promise::Deferred::New(env)) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override {
    created_.emplace(on_own_thread([]() -> Result<UniqueFd> {
      if (::unshare(CLONE_NEWNET) != 0) return sys_error("make a network namespace");
      UniqueFd ns(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
      if (!ns) return sys_error("open /proc/thread-self/ns/net");
      return ns;
    }));
  }

  void OnOK() override {
    if (*created_)
      deferred_.Resolve(Napi::Number::New(Env(), (*created_)->release()));
    else
      deferred_.Reject(js_error(Env(), created_->error()));
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::optional<Result<UniqueFd>> created_;
};

}  // namespace

Result<UniqueFd> netlink_socket(int ns, int protocol) {
  if (ns < 0) return open_socket(protocol);
  return on_own_thread([&]() -> Result<UniqueFd> {
    if (::setns(ns, CLONE_NEWNET) != 0) return sys_error("enter a network namespace");
    return open_socket(protocol);
  });
}

Napi::Value create_network_namespace(const Napi::CallbackInfo& info) {
  auto* worker = new CreateWorker(info.Env());
  worker->Queue();
  return worker->promise();
}

}  // namespace mooring
