// One epoll set for all that a monitor waits for.
#pragma once

#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

/// Something that waits to be readable.
class Pollable {
 public:
  virtual ~Pollable() = default;
  virtual void ready() = 0;
};

/// Borrows what is added to it. A Pollable may remove itself, and nobody else, while it runs.
class EventLoop {
 public:
  static Result<EventLoop> create();
  Status add(int fd, Pollable& pollable);
  void remove(int fd);
  /// Runs what is ready; false when nothing was for `timeout` milliseconds (-1 waits for ever).
  bool wait(int timeout);

 private:
  explicit EventLoop(UniqueFd epoll) : epoll_(std::move(epoll)) {}
  UniqueFd epoll_;
};

}  // namespace mooring
