// The pipe on which a monitor tells whoever spawned it whether the container's process runs. Lines of JSON; src/native/addon.ts reads it.
#pragma once

#include "monitor/process_identity.h"
#include "runtime/unique_fd.h"

namespace mooring {

/// Whoever spawned the monitor may be gone by now: that keeps no container from running, so a line that nobody reads is no error.
class StatusPipe {
 public:
  explicit StatusPipe(int fd) : fd_(fd) {}

  /// `{"event":"standing"}`: it waits for its order; one of the others follows.
  void tell_standing();
  /// `{"event":"started","pid":…,"startTime":…,"monitor":{"pid":…,"startTime":…}}`
  void tell_started(const ProcessIdentity& init, const ProcessIdentity& monitor);
  /// `{"event":"failed","message":"…","errno":…}`; errno 0 where no system call failed.
  void tell_failed(const Error& error);

 private:
  void tell_last(const JsonObject& event);
  UniqueFd fd_;
};

}  // namespace mooring
