#include "addon/read_attributes.h"

#include <sys/xattr.h>

#include <map>
#include <string>
#include <vector>

namespace mooring {

namespace {

/// XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h.
constexpr size_t kMostBytes = 65536;

struct Attributes {
  std::map<std::string, std::string> values;
  int failure = 0;
};

Attributes attributes_of(const std::string& path, std::string& names, std::string& value) {
  const ssize_t length = ::llistxattr(path.c_str(), names.data(), names.size());
  if (length < 0 && errno == ENOTSUP) return {};
  if (length < 0) return {{}, errno};
  Attributes found;
  for (ssize_t at = 0; at < length;) {
    const std::string name(names.data() + at);
    at += static_cast<ssize_t>(name.size()) + 1;
    const ssize_t size = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    if (size < 0 && errno == ENODATA) continue;  // gone meanwhile
    if (size < 0) return {{}, errno};
    found.values[name] = value.substr(0, static_cast<size_t>(size));
  }
  return found;
}

class AttributesWorker : public Napi::AsyncWorker {
 public:
  AttributesWorker(Napi::Env env, std::vector<std::string> paths) : AsyncWorker(env, "mooring.readAttributes"), deferred_(Napi::Promise::Deferred::New(env)), paths_(std::move(paths)) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override {
    std::string names(kMostBytes, '\0');
    std::string value(kMostBytes, '\0');
    found_.reserve(paths_.size());
    for (const std::string& path : paths_) found_.push_back(attributes_of(path, names, value));
  }

  void OnOK() override {
    const Napi::Env env = Env();
    const Napi::Array result = Napi::Array::New(env, found_.size());
    for (uint32_t i = 0; i < found_.size(); ++i) {
      const Napi::HandleScope scope(env);
      const Napi::Object entry = Napi::Object::New(env);
      if (found_[i].failure != 0) entry.Set("errno", ::strerrorname_np(found_[i].failure));
      for (const auto& [name, value] : found_[i].values) entry.Set(name, Napi::Buffer<char>::Copy(env, value.data(), value.size()));
      result.Set(i, entry);
    }
    deferred_.Resolve(result);
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::vector<std::string> paths_;
  std::vector<Attributes> found_;
};

}  // namespace

Napi::Value read_attributes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto paths = info.Length() == 1 ? strings_of(info[0]) : std::nullopt;
  if (!paths) return throw_type_error(env, "readAttributes wants an array of paths, which are strings");
  auto* worker = new AttributesWorker(env, std::move(*paths));
  worker->Queue();
  return worker->promise();
}

}  // namespace mooring
