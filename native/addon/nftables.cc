#include "addon/nftables.h"

#include <dlfcn.h>
#include <linux/close_range.h>
#include <nftables/libnftables.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

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

/// To be called on the rules' thread only: the library's scanner and its caches of names are the process's.
Result<std::string> run(const std::string& commands, bool text) {
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

/// The one thread that the library runs on. It has a table of descriptors of its own, where its socket has a low number: the library waits with select(2),
/// and a daemon of some hundred containers has more descriptors than an fd_set has bits. It lives on, so that what it changed is known by its id as our own.
class RulesThread {
 public:
  static RulesThread& get() {
    static RulesThread* const one = new RulesThread;  // never destroyed: a thread waits on it
    return *one;
  }

  Result<std::string> run(const std::string& commands, bool text) {
    std::packaged_task<Result<std::string>()> task([&] { return is_apart_ ? mooring::run(commands, text) : Result<std::string>(Error{"give the packet filter's thread descriptors of its own", failure_}); });
    auto result = task.get_future();
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
    return result.get();
  }

 private:
  RulesThread() { std::thread([this] { work(); }).detach(); }

  [[noreturn]] void work() {
    is_apart_ = ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_UNSHARE) == 0;
    failure_ = is_apart_ ? 0 : errno;
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !tasks_.empty(); });
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::packaged_task<Result<std::string>()>> tasks_;
  bool is_apart_ = false;  // this and the next: the thread's own
  int failure_ = 0;
};

class NftWorker : public Napi::AsyncWorker {
 public:
  NftWorker(Napi::Env env, std::string commands, bool text)
      : AsyncWorker(env, "mooring.runNft"), deferred_(Napi::Promise::Deferred::New(env)), commands_(std::move(commands)), text_(text) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override { outcome_.emplace(RulesThread::get().run(commands_, text_)); }

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
