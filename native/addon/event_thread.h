// One thread with one epoll set, which follows every descriptor that an environment watches. Knows nothing of JavaScript.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

/// Something with a descriptor to follow. Lives until both the thread and whoever added it have let go.
class Source {
 public:
  struct Verdict {
    bool tell = false;  // the environment is to hear of it
    bool next = false;  // this descriptor is done with; follow the next one
    bool done = false;  // nothing more will come; the thread lets go
  };
  virtual ~Source() = default;
  virtual int fd() const = 0;
  /// EPOLL* bits.
  virtual uint32_t interest() const = 0;
  /// Runs on the thread, and must not block.
  virtual Verdict ready() = 0;
  /// Closes the present descriptor, so that `fd` gives the next one. Only after `ready` asked for it, when the thread no longer follows the present one.
  virtual void advance() {}
};

using SourceId = uint64_t;

class EventThread {
 public:
  using Wake = void (*)(void* context);

  /// `wake` is called on the thread when `take_told` has something to give; not again before that was called.
  static Result<std::unique_ptr<EventThread>> start(Wake wake, void* context);
  /// Stops and joins the thread.
  ~EventThread();
  EventThread(const EventThread&) = delete;
  EventThread& operator=(const EventThread&) = delete;

  Result<SourceId> add(std::shared_ptr<Source> source);
  /// Idempotent. The id may still be among those already told.
  void remove(SourceId id);
  /// The ids that have something to tell, each once however often it was ready.
  std::vector<SourceId> take_told();

 private:
  struct Entry {
    std::shared_ptr<Source> source;
    bool told = false;  // its id is in `told_`
  };

  EventThread(Wake wake, void* context) : wake_(wake), context_(context) {}
  static void* run(void* self);
  void loop();
  void handle(SourceId id);

  const Wake wake_;
  void* const context_;
  UniqueFd epoll_;
  UniqueFd stop_;  // eventfd; stands in the epoll set with id 0
  pthread_t thread_{};
  bool running_ = false;

  std::mutex mutex_;  // guards what follows
  std::unordered_map<SourceId, Entry> entries_;
  std::vector<SourceId> told_;
  SourceId next_id_ = 1;
};

}  // namespace mooring
