#include "addon/spawn_monitor.h"

#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "addon/environment.h"
#include "addon/monitor_source.h"

namespace mooring {

namespace {

class MonitorListener : public Listener {
 public:
  MonitorListener(std::shared_ptr<MonitorSource> source, UniqueFd order, Napi::Promise::Deferred deferred) : source_(std::move(source)), order_(std::move(order)), waiting_(deferred) {}

  void set_id(SourceId id) { id_ = id; }

  After tell(Napi::Env env) override {
    auto line = waiting_ ? source_->take_line() : std::nullopt;
    const auto end = source_->end();
    if (!line && !end) return After::kKeep;
    const bool stands = line && order_;
    if (waiting_) {
      const Napi::Object outcome = Napi::Object::New(env);
      outcome.Set(line ? "report" : "ended", line ? *line : *end);
      if (stands) outcome.Set("watch", static_cast<double>(id_));
      std::exchange(waiting_, std::nullopt)->Resolve(outcome);
    }
    return stands && !end ? After::kKeep : After::kClose;
  }

  Napi::Promise order(Napi::Env env, const std::string& words) {
    waiting_ = Napi::Promise::Deferred::New(env);
    // Into an empty pipe, which holds more than a command line. Where nobody reads it any more, its end tells.
    (void)!::write(order_.get(), words.data(), words.size());
    order_.reset();
    return waiting_->Promise();
  }

  void dismiss() { order_.reset(); }

 private:
  std::shared_ptr<MonitorSource> source_;
  UniqueFd order_;
  std::optional<Napi::Promise::Deferred> waiting_;
  SourceId id_ = 0;
};

class SpawnWorker : public Napi::AsyncWorker {
 public:
  SpawnWorker(Napi::Env env, std::vector<std::string> command, bool with_order)
      : AsyncWorker(env, "mooring.spawnMonitor"), deferred_(Napi::Promise::Deferred::New(env)), command_(std::move(command)), with_order_(with_order) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override { spawned_.emplace(spawn(command_, with_order_)); }

  void OnOK() override {
    if (!*spawned_) {
      deferred_.Reject(js_error(Env(), spawned_->error()));
      return;
    }
    UniqueFd order = std::move((*spawned_)->order);
    auto source = std::make_shared<MonitorSource>(std::move(**spawned_));
    auto listener = std::make_shared<MonitorListener>(source, std::move(order), deferred_);
    const auto id = Environment::of(Env()).listen(source, listener);
    if (id)
      listener->set_id(*id);
    else
      deferred_.Reject(js_error(Env(), id.error()));
  }

 private:
  Napi::Promise::Deferred deferred_;
  const std::vector<std::string> command_;
  const bool with_order_;
  std::optional<Result<Spawned>> spawned_;
};

Napi::Value start(const Napi::CallbackInfo& info, bool with_order) {
  const Napi::Env env = info.Env();
  auto words = info.Length() == 2 ? strings_of(info[1]) : std::nullopt;
  if (!words || !info[0].IsString()) return throw_type_error(env, "a monitor is spawned with a path and an array of arguments, which are strings");
  words->insert(words->begin(), info[0].As<Napi::String>());
  auto* worker = new SpawnWorker(env, std::move(*words), with_order);
  worker->Queue();
  return worker->promise();
}

std::shared_ptr<MonitorListener> listener_of(const Napi::CallbackInfo& info) {
  if (info.Length() == 0 || !info[0].IsNumber()) return nullptr;
  return std::dynamic_pointer_cast<MonitorListener>(Environment::of(info.Env()).find(static_cast<SourceId>(info[0].As<Napi::Number>().Int64Value())));
}

}  // namespace

Napi::Value spawn_monitor(const Napi::CallbackInfo& info) { return start(info, false); }

Napi::Value prepare_monitor(const Napi::CallbackInfo& info) { return start(info, true); }

Napi::Value order_monitor(const Napi::CallbackInfo& info) {
  const auto words = info.Length() == 2 ? strings_of(info[1]) : std::nullopt;
  if (!words) return throw_type_error(info.Env(), "orderMonitor wants a watch and an array of arguments");
  const auto listener = listener_of(info);
  if (!listener) return info.Env().Undefined();
  std::string text;
  for (const std::string& word : *words) text.append(word).push_back('\0');
  return listener->order(info.Env(), text + '\0');
}

void dismiss_monitor(const Napi::CallbackInfo& info) {
  const auto listener = listener_of(info);
  if (!listener) return;
  listener->dismiss();
  Environment::of(info.Env()).forget(static_cast<SourceId>(info[0].As<Napi::Number>().Int64Value()));  // it is reaped all the same
}

}  // namespace mooring
