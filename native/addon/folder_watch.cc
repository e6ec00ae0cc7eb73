#include "addon/folder_watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "addon/environment.h"

namespace mooring {

namespace {

/// What changes names, content and rights. Content is told of at the close of who wrote it, not at each write. Of an overlay's writable folder the kernel tells no writes through the
/// overlay (FMODE_NONOTIFY, fs/overlayfs/file.c), yet the copy that precedes the first one comes to be there under a name.
constexpr uint64_t kMask = FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM | FAN_MOVED_TO | FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_ONDIR | FAN_EVENT_ON_CHILD;
/// Paths kept until somebody takes them.
constexpr size_t kMostPaths = 1024;
/// Reads in a row: others wait for the thread, too.
constexpr int kMostReads = 8;
/// Deeper folders are not followed; a descriptor is open for each on the way.
constexpr size_t kMostDepth = 256;

struct Doer {
  pid_t pid = 0;
  std::string status;
  std::string cgroup;
};

/// By path, who changed it last.
struct Changes {
  std::map<std::string, Doer> paths;
  bool lost = false;
};

class Board {
 public:
  void note(std::string path, const Doer& doer) {
    const std::lock_guard lock(mutex_);
    if (changes_.paths.size() < kMostPaths || changes_.paths.contains(path))
      changes_.paths.insert_or_assign(std::move(path), doer);
    else
      changes_.lost = true;
  }
  void lose() {
    const std::lock_guard lock(mutex_);
    changes_.lost = true;
  }
  Changes take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(changes_, {});
  }

 private:
  std::mutex mutex_;
  Changes changes_;
};

/// The group that a watch is, which a worker may still be marking folders for when the watch is closed.
struct Group {
  UniqueFd events;
  UniqueFd root;
};

std::string small_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[4096];
  const ssize_t length = file ? ::read(file.get(), text, sizeof text) : -1;
  return length > 0 ? std::string(text, static_cast<size_t>(length)) : std::string();
}

/// The process of that pid, as long as `pidfd`, which the kernel made with the event, says that it is still the one.
Doer ask(pid_t pid, int pidfd) {
  Doer doer{.pid = pid, .status = {}, .cgroup = {}};
  if (pidfd < 0) return doer;
  const std::string folder = "/proc/" + std::to_string(pid);
  doer.status = small_file(folder + "/status");
  doer.cgroup = small_file(folder + "/cgroup");
  // Reaped by now, so that what was read may be of another process that has its pid.
  if (::syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0) != 0 && errno == ESRCH) return {.pid = pid, .status = {}, .cgroup = {}};
  return doer;
}

class FolderSource : public Source {
 public:
  FolderSource(std::shared_ptr<Group> group, std::shared_ptr<Board> board) : group_(std::move(group)), board_(std::move(board)) {}
  int fd() const override { return group_->events.get(); }
  uint32_t interest() const override { return EPOLLIN; }

  Verdict ready() override {
    alignas(fanotify_event_metadata) char buffer[16 << 10];
    bool heard = false;
    std::map<pid_t, Doer> asked;
    for (int i = 0; i < kMostReads; ++i) {
      const ssize_t length = ::read(group_->events.get(), buffer, sizeof buffer);
      if (length <= 0) break;
      heard = true;
      auto left = static_cast<size_t>(length);
      for (auto* event = reinterpret_cast<const fanotify_event_metadata*>(buffer); FAN_EVENT_OK(event, left); event = FAN_EVENT_NEXT(event, left)) take(*event, asked);
    }
    return {.tell = heard};
  }

 private:
  void take(const fanotify_event_metadata& event, std::map<pid_t, Doer>& asked) const {
    if ((event.mask & FAN_Q_OVERFLOW) != 0) return board_->lose();
    const auto* end = reinterpret_cast<const char*>(&event) + event.event_len;
    const fanotify_event_info_fid* name = nullptr;
    UniqueFd pidfd;
    for (const char* at = reinterpret_cast<const char*>(&event) + event.metadata_len; at + sizeof(fanotify_event_info_header) <= end;) {
      const auto* header = reinterpret_cast<const fanotify_event_info_header*>(at);
      if (header->len == 0) break;
      if (header->info_type == FAN_EVENT_INFO_TYPE_DFID_NAME) name = reinterpret_cast<const fanotify_event_info_fid*>(at);
      if (header->info_type == FAN_EVENT_INFO_TYPE_PIDFD) pidfd.reset(reinterpret_cast<const fanotify_event_info_pidfd*>(at)->pidfd);
      at += header->len;
    }
    if (name == nullptr) return;
    const auto known = asked.find(event.pid);
    const Doer& doer = known != asked.end() ? known->second : asked.emplace(event.pid, ask(event.pid, pidfd.get())).first->second;
    auto path = path_of(*name);
    if (path) return board_->note(std::move(*path), doer);
    if (path.error().code != ESTALE) board_->lose();  // else the folder is gone, as its own folder tells
  }

  Result<std::string> path_of(const fanotify_event_info_fid& info) const {
    const auto* handle = reinterpret_cast<const file_handle*>(info.handle);
    // The kernel takes no handle from memory that it may not also write to by its type.
    const UniqueFd folder(::open_by_handle_at(group_->root.get(), const_cast<file_handle*>(handle), O_PATH | O_CLOEXEC));
    if (!folder) return sys_error("open the folder of an event");
    char place[PATH_MAX];
    const ssize_t length = ::readlink(("/proc/self/fd/" + std::to_string(folder.get())).c_str(), place, sizeof place);
    if (length < 0) return sys_error("read where the folder of an event is");
    const std::string name(reinterpret_cast<const char*>(handle->f_handle) + handle->handle_bytes);
    std::string path(place, static_cast<size_t>(length));
    return name == "." ? path : path + "/" + name;
  }

  const std::shared_ptr<Group> group_;
  const std::shared_ptr<Board> board_;
};

class FolderListener : public Listener {
 public:
  FolderListener(std::shared_ptr<Group> group, std::shared_ptr<Board> board, Napi::Function on_change)
      : group_(std::move(group)), board_(std::move(board)), on_change_(Napi::Persistent(on_change)) {}

  After tell(Napi::Env env) override {
    const Changes changes = board_->take();
    const Napi::Array list = Napi::Array::New(env, changes.paths.size());
    uint32_t at = 0;
    for (const auto& [path, doer] : changes.paths) {
      const Napi::HandleScope scope(env);
      const Napi::Object change = Napi::Object::New(env);
      change.Set("path", path);
      change.Set("pid", doer.pid);
      if (!doer.status.empty()) change.Set("status", doer.status);
      if (!doer.cgroup.empty()) change.Set("cgroup", doer.cgroup);
      list.Set(at++, change);
    }
    if (at > 0 || changes.lost) Environment::call(env, on_change_, {list, Napi::Boolean::New(env, changes.lost)});
    return After::kKeep;
  }
  const std::shared_ptr<Group>& group() const { return group_; }

 private:
  const std::shared_ptr<Group> group_;
  const std::shared_ptr<Board> board_;
  Napi::FunctionReference on_change_;
};

/// Marks a tree of folders, from the top: each before it is listed, so that nothing that comes to be in it meanwhile is missed.
class Marker {
 public:
  Marker(int events, std::set<std::string> skipped, size_t most) : events_(events), skipped_(std::move(skipped)), most_(most) {}

  Status tree(UniqueFd folder, const std::string& path, size_t depth) {
    if (marked_ >= most_ || depth >= kMostDepth) return ok();
    if (::fanotify_mark(events_, FAN_MARK_ADD | FAN_MARK_ONLYDIR, kMask, folder.get(), nullptr) != 0) {
      if (errno == ENOENT) return ok();  // removed meanwhile
      return sys_error("follow the folder \"" + path + "\"");
    }
    ++marked_;
    DIR* listing = ::fdopendir(folder.get());
    if (listing == nullptr) return sys_error("list \"" + path + "\"");
    const int here = folder.release();  // the listing's from now on
    Status outcome = ok();
    while (const dirent* entry = ::readdir(listing)) {
      const std::string name = entry->d_name;
      if (name == "." || name == ".." || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)) continue;
      const std::string child = path.empty() ? name : path + "/" + name;
      if (skipped_.contains(child)) continue;
      UniqueFd next(::openat(here, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!next) continue;  // gone, or no folder any more
      outcome = tree(std::move(next), child, depth + 1);
      if (!outcome) break;
    }
    ::closedir(listing);
    return outcome;
  }
  size_t marked() const { return marked_; }

 private:
  const int events_;
  const std::set<std::string> skipped_;
  const size_t most_;
  size_t marked_ = 0;
};

class MarkWorker : public Napi::AsyncWorker {
 public:
  MarkWorker(Napi::Env env, std::shared_ptr<Group> group, std::string folder, std::vector<std::string> skipped, size_t most)
      : AsyncWorker(env, "mooring.markFolders"),
        deferred_(Napi::Promise::Deferred::New(env)),
        group_(std::move(group)),
        folder_(std::move(folder)),
        marker_(group_->events.get(), {skipped.begin(), skipped.end()}, most) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override {
    UniqueFd folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder)
      outcome_ = sys_error("open " + folder_);
    else
      outcome_ = marker_.tree(std::move(folder), "", 0);
  }

  void OnOK() override {
    if (outcome_)
      deferred_.Resolve(Napi::Number::New(Env(), static_cast<double>(marker_.marked())));
    else
      deferred_.Reject(js_error(Env(), outcome_.error()));
  }

 private:
  Napi::Promise::Deferred deferred_;
  const std::shared_ptr<Group> group_;
  const std::string folder_;
  Marker marker_;
  Status outcome_ = ok();
};

}  // namespace

Napi::Value watch_folders(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 2 || !info[0].IsString() || !info[1].IsFunction()) return throw_type_error(env, "watchFolders wants a folder and a function");
  const std::string root = info[0].As<Napi::String>();
  auto group = std::make_shared<Group>();
  group->events.reset(::fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_DFID_NAME | FAN_REPORT_PIDFD, O_RDONLY | O_CLOEXEC));
  if (!group->events) return throw_js(env, sys_error("fanotify_init"));
  group->root.reset(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!group->root) return throw_js(env, sys_error("open " + root));
  const auto board = std::make_shared<Board>();
  const auto id = Environment::of(env).listen(std::make_shared<FolderSource>(group, board), std::make_shared<FolderListener>(group, board, info[1].As<Napi::Function>()));
  if (!id) return throw_js(env, id.error());
  return Napi::Number::New(env, static_cast<double>(*id));
}

Napi::Value mark_folders(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto skipped = info.Length() == 4 ? strings_of(info[2]) : std::nullopt;
  if (!skipped || !info[0].IsNumber() || !info[1].IsString() || !info[3].IsNumber()) return throw_type_error(env, "markFolders wants a watch, a folder, an array of paths and a number");
  const auto listener = std::dynamic_pointer_cast<FolderListener>(Environment::of(env).find(info[0].As<Napi::Number>().Int64Value()));
  if (!listener) return throw_type_error(env, "markFolders wants a watch that is open");
  auto* worker = new MarkWorker(env, listener->group(), info[1].As<Napi::String>(), std::move(*skipped), info[3].As<Napi::Number>().Uint32Value());
  worker->Queue();
  return worker->promise();
}

}  // namespace mooring
