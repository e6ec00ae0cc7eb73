#include "addon/read_files.h"

#include <fcntl.h>

#include <string>
#include <vector>

#include "runtime/unique_fd.h"

namespace mooring {

namespace {

constexpr size_t kMostBytes = 1 << 20;

struct Content {
  std::string text;
  int failure = 0;
};

Content read_file(const std::string& path, std::string& buffer) {
  // Non-blocking: a FIFO among the paths would hold the worker thread for ever.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return {{}, errno};
  size_t length = 0;
  while (length < kMostBytes) {
    if (length == buffer.size()) buffer.resize(buffer.size() * 2);
    const ssize_t count = ::read(file.get(), buffer.data() + length, buffer.size() - length);
    if (count == 0) break;
    if (count > 0)
      length += static_cast<size_t>(count);
    else if (errno != EINTR)
      return {{}, errno};
  }
  return {buffer.substr(0, length), 0};
}

class ReadWorker : public Napi::AsyncWorker {
 public:
  ReadWorker(Napi::Env env, std::vector<std::string> paths) : AsyncWorker(env, "mooring.readFiles"), deferred_(Napi::Promise::Deferred::New(env)), paths_(std::move(paths)) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override {
    std::string buffer(16 << 10, '\0');  // holds a cgroup's or a process's file whole, as a rule; a power of two, so that doubling ends at kMostBytes
    contents_.reserve(paths_.size());
    for (const std::string& path : paths_) contents_.push_back(read_file(path, buffer));
  }

  void OnOK() override {
    const Napi::Env env = Env();
    const Napi::Array result = Napi::Array::New(env, contents_.size());
    for (uint32_t i = 0; i < contents_.size(); ++i) {
      const Napi::HandleScope scope(env);
      const Napi::Object entry = Napi::Object::New(env);
      if (contents_[i].failure != 0)
        entry.Set("errno", ::strerrorname_np(contents_[i].failure));
      else
        entry.Set("text", contents_[i].text);
      result.Set(i, entry);
    }
    deferred_.Resolve(result);
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::vector<std::string> paths_;
  std::vector<Content> contents_;
};

}  // namespace

Napi::Value read_files(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto paths = info.Length() == 1 ? strings_of(info[0]) : std::nullopt;
  if (!paths) return throw_type_error(env, "readFiles wants an array of paths, which are strings");
  auto* worker = new ReadWorker(env, std::move(*paths));
  worker->Queue();
  return worker->promise();
}

}  // namespace mooring
