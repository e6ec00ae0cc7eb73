// What a spawned monitor tells on its status pipe, and its end.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "addon/event_thread.h"
#include "addon/spawn_process.h"

namespace mooring {

/// Reads the status pipe to its end, then follows the monitor's pidfd to reap it, for as long as it lives.
class MonitorSource : public Source {
 public:
  explicit MonitorSource(Spawned spawned) : pidfd_(std::move(spawned.pidfd)), status_(std::move(spawned.status)) {}
  int fd() const override { return status_ ? status_.get() : pidfd_.get(); }
  uint32_t interest() const override;
  void advance() override { status_.reset(); }
  Verdict ready() override;

  /// The next line that has not been taken.
  std::optional<std::string> take_line();
  /// In words how it ended.
  std::optional<std::string> end();

 private:
  Verdict read_status();

  UniqueFd pidfd_;
  UniqueFd status_;
  std::string part_;  // of a line

  std::mutex mutex_;  // guards what follows
  std::deque<std::string> lines_;
  std::optional<std::string> end_;
};

}  // namespace mooring
