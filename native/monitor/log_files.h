// The files of one container's log: the current one, and the rotated ones behind it as `.1`, `.2`, …
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

class LogFiles {
 public:
  /// `count` includes the current file.
  static Result<LogFiles> open(const std::string& path, unsigned count);

  /// Length of the current file.
  size_t size() const { return size_; }
  /// When its first line was written, in seconds since the epoch. Means something where it has one.
  time_t begun() const { return begun_; }

  /// Appends with one write(2); gives how many bytes that took. -1 and errno when it failed.
  ssize_t append(std::string_view text);

  /// Takes the last `count` bytes off again. Bytes, not an offset: whoever truncates the file meanwhile, as log shippers do, is not undone.
  Status cut_off(size_t count);

  /// Shifts every file by one, drops the oldest, begins a new one. Who follows the log by inode finds the old one whole.
  /// After an error it can be called again: the log is not shifted twice.
  Status rotate();

 private:
  LogFiles(UniqueFd folder, std::string name, unsigned count) : folder_(std::move(folder)), name_(std::move(name)), count_(count) {}
  std::string numbered(unsigned number) const;
  Status move_aside();
  Status open_current();

  UniqueFd folder_;
  std::string name_;
  unsigned count_;
  UniqueFd file_;
  size_t size_ = 0;
  time_t begun_ = 0;
};

}  // namespace mooring
