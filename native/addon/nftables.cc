#include "addon/nftables.h"

#include <dlfcn.h>
#include <nftables/libnftables.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace mooring {

namespace {

/// Debian has no static libnftables. Loaded with the first command, so that a host without it still runs containers that need none of this.
struct Library {
  decltype(&nft_ctx_new) create;
  decltype(&nft_ctx_free) destroy;
  decltype(&nft_ctx_buffer_output) buffer_output;
  decltype(&nft_ctx_get_output_buffer) output;
  decltype(&nft_ctx_buffer_error) buffer_error;
  decltype(&nft_ctx_get_error_buffer) error;
  decltype(&nft_ctx_output_set_flags) set_flags;
  decltype(&nft_run_cmd_from_buffer) run;
};

template <typename Function>
bool find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  return function != nullptr;
}

Result<Library> load() {
  void* handle = ::dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);
  Library library{};
  if (handle != nullptr && find(handle, "nft_ctx_new", library.create) && find(handle, "nft_ctx_free", library.destroy) &&
      find(handle, "nft_ctx_buffer_output", library.buffer_output) && find(handle, "nft_ctx_get_output_buffer", library.output) &&
      find(handle, "nft_ctx_buffer_error", library.buffer_error) && find(handle, "nft_ctx_get_error_buffer", library.error) &&
      find(handle, "nft_ctx_output_set_flags", library.set_flags) && find(handle, "nft_run_cmd_from_buffer", library.run))
    return library;
  return Error{std::string("load libnftables: ") + ::dlerror(), ENOPKG};
}

/// The library tells in words only what the kernel said to it.
int code_of(const std::string& words) {
  for (const int code : {ENOENT, EEXIST, EPERM, EBUSY})
    if (words.find(std::strerror(code)) != std::string::npos) return code;
  return 0;
}

Result<std::string> run(const std::string& commands, bool text) {
  // Its scanner and its caches of names are the process's.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  static Result<Library> library = load();
  if (!library) {
    library = load();  // it may have been installed since
    if (!library) return library.error();
  }
  const std::unique_ptr<nft_ctx, decltype(library->destroy)> context(library->create(NFT_CTX_DEFAULT), library->destroy);
  if (!context) return Error{"make an nftables context", ENOMEM};
  library->buffer_output(context.get());
  library->buffer_error(context.get());
  library->set_flags(context.get(), text ? NFT_CTX_OUTPUT_STATELESS : NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_NUMERIC_PROTO | NFT_CTX_OUTPUT_NUMERIC_PRIO);
  if (library->run(context.get(), commands.c_str()) == 0) return std::string(library->output(context.get()));
  const std::string words(library->error(context.get()));
  constexpr std::string_view kPrefix = "Error: ";
  return Error{words.starts_with(kPrefix) ? words.substr(kPrefix.size()) : words, code_of(words)};
}

class NftWorker : public Napi::AsyncWorker {
 public:
  NftWorker(Napi::Env env, std::string commands, bool text)
      : AsyncWorker(env, "mooring.runNft"), deferred_(Napi::Promise::Deferred::New(env)), commands_(std::move(commands)), text_(text) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override { outcome_.emplace(run(commands_, text_)); }

  void OnOK() override {
    if (*outcome_)
      deferred_.Resolve(Napi::String::New(Env(), **outcome_));
    else
      deferred_.Reject(js_error(Env(), outcome_->error()));
  }

 private:
  Napi::Promise::Deferred deferred_;
  const std::string commands_;
  const bool text_;
  std::optional<Result<std::string>> outcome_;
};

}  // namespace

Napi::Value run_nft(const Napi::CallbackInfo& info) {
  if (info.Length() != 2 || !info[0].IsString() || !info[1].IsBoolean()) return throw_type_error(info.Env(), "runNft wants commands and whether to answer in text");
  auto* worker = new NftWorker(info.Env(), info[0].As<Napi::String>(), info[1].As<Napi::Boolean>());
  worker->Queue();
  return worker->promise();
}

}  // namespace mooring
