// One epoll set for all that a monitor waits for.
#pragma once

#include <sys/epoll.h>

#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

/// Something that waits for a descriptor.
class Pollable {
 public:
  virtual ~Pollable() = default;
  /// May be called for nothing, with what was true a moment ago.
  virtual void ready() = 0;
};

/// Borrows what is added to it, which must be there for as long as `wait` runs.
class EventLoop {
 public:
  static Result<EventLoop> create();
  /// `events` as in epoll_ctl(2); a hang-up is told of whether it is asked for or not.
  Status add(int fd, Pollable& pollable, unsigned events = EPOLLIN);
  /// Waits for other events from now on. The descriptor must have been added.
  void change(int fd, Pollable& pollable, unsigned events);
  void remove(int fd);
  /// Runs what is ready; false when nothing was for `timeout` milliseconds (-1 waits for ever).
  bool wait(int timeout);

 private:
  explicit EventLoop(UniqueFd epoll) : epoll_(std::move(epoll)) {}
  UniqueFd epoll_;
};

}  // namespace mooring
