#include "addon/environment.h"

namespace mooring {

Status Environment::create(Napi::Env env) {
  auto* self = new Environment(env);
  env.SetInstanceData(self);  // deletes it with the environment
  auto events = EventThread::start(wake, self);
  if (!events) return events.error();
  self->events_ = std::move(*events);
  self->bell_ = Bell::New(env, "mooring", 0, 1, self);
  self->bell_.Unref(env);
  // Runs before the bell's own hook, which was added earlier: the thread must be gone before what it rings.
  env.AddCleanupHook([](Environment* going) { going->shut_down(); }, self);
  return ok();
}

void Environment::shut_down() {
  std::exchange(listeners_, {}).clear();  // whose ends may close others
  events_.reset();
  bell_.Release();
}

Result<SourceId> Environment::listen(std::shared_ptr<Source> source, std::shared_ptr<Listener> listener) {
  if (!events_) return Error{"the environment is being ended", ECANCELED};
  auto id = events_->add(std::move(source));
  if (!id) return id;
  if (listeners_.empty()) bell_.Ref(env_);
  listeners_.emplace(*id, std::move(listener));
  return id;
}

std::shared_ptr<Listener> Environment::find(SourceId id) const {
  const auto found = listeners_.find(id);
  return found == listeners_.end() ? nullptr : found->second;
}

void Environment::close(SourceId id) {
  if (events_) events_->remove(id);
  forget(id);
}

void Environment::forget(SourceId id) {
  const auto going = listeners_.extract(id);  // ends after it has left the table: it may close another one then
  if (going && listeners_.empty()) bell_.Unref(env_);
}

void Environment::call(Napi::Env env, const Napi::FunctionReference& callback, const std::vector<napi_value>& arguments) {
  const napi_status status = napi_call_function(env, env.Undefined(), callback.Value(), arguments.size(), arguments.data(), nullptr);
  if (status != napi_pending_exception) return;  // otherwise called, or the environment is being ended
  napi_value thrown = nullptr;
  if (napi_get_and_clear_last_exception(env, &thrown) == napi_ok) napi_fatal_exception(env, thrown);
}

// On the event thread.
void Environment::wake(void* self) { static_cast<Environment*>(self)->bell_.NonBlockingCall(); }

void Environment::dispatch(Napi::Env env, Napi::Function, Environment* self, void*) {
  if (static_cast<napi_env>(env) == nullptr || !self->events_) return;  // the environment is being ended
  for (const SourceId id : self->events_->take_told()) {
    const Napi::HandleScope scope(env);
    const std::shared_ptr<Listener> listener = self->find(id);  // held here: it may close itself meanwhile
    if (listener && listener->tell(env) == Listener::After::kClose) self->forget(id);
  }
}

}  // namespace mooring
