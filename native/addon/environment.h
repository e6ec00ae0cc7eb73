// What the addon keeps for one JavaScript environment (the main thread's, or a worker's): its event thread, and who listens to what.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "addon/event_thread.h"
#include "addon/js.h"

namespace mooring {

/// Hears of a source on the JavaScript thread. Never after it was closed, not even when the event was on its way already.
class Listener {
 public:
  enum class After { kKeep, kClose };
  virtual ~Listener() = default;
  virtual After tell(Napi::Env env) = 0;
};

/// Used on its environment's JavaScript thread only. The environment stays alive while somebody listens.
class Environment {
 public:
  /// Makes the environment's one, and its thread.
  static Status create(Napi::Env env);
  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  Result<SourceId> listen(std::shared_ptr<Source> source, std::shared_ptr<Listener> listener);
  /// The listener of that id, or nullptr once it is closed.
  std::shared_ptr<Listener> find(SourceId id) const;
  /// Idempotent.
  void close(SourceId id);
  /// Stops hearing of it; the event thread goes on following the source until that is done.
  void forget(SourceId id);

  /// Calls back into JavaScript. What the callback throws becomes an uncaught exception, and does not keep others from being called.
  static void call(Napi::Env env, const Napi::FunctionReference& callback, const std::vector<napi_value>& arguments = {});

 private:
  explicit Environment(napi_env env) : env_(env) {}
  static void wake(void* self);
  static void dispatch(Napi::Env env, Napi::Function callback, Environment* self, void* data);
  void shut_down();

  using Bell = Napi::TypedThreadSafeFunction<Environment, void, dispatch>;
  const napi_env env_;
  Bell bell_;
  std::unique_ptr<EventThread> events_;
  std::unordered_map<SourceId, std::shared_ptr<Listener>> listeners_;
};

}  // namespace mooring
