// Writes pieces of output to a log in the CRI format, `<time> <stream> <F|P> <text>`, with rotation by size.
#pragma once

#include <sys/uio.h>

#include <array>
#include <ctime>

#include "monitor/clock_text.h"
#include "monitor/line_splitter.h"
#include "monitor/log_files.h"

namespace mooring {

enum class Stream { kStdout, kStderr };

/// Lines are whole in every file, and a file outgrows `max_bytes` only by a single line that is longer, or by a marker.
///
/// When a write or a rotation fails, because the disk is full as a rule, the container is not held up: what can't be written is dropped and counted, half a line
/// that was written is cut off, and the next batch tries again. The first that succeeds begins with a marker, a line on stderr that says how much is missing.
class LogWriter {
 public:
  LogWriter(LogFiles files, size_t max_bytes) : files_(std::move(files)), max_bytes_(max_bytes) {}
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// Begins a batch of pieces that came out of `stream` at one time.
  void begin(Stream stream, const timespec& time);
  /// Keeps a reference to the piece's text until `flush`.
  void append(const Piece& piece);
  void flush();

 private:
  static constexpr size_t kStart = kTimeTextLength + sizeof " stdout F " - 1;
  static constexpr size_t kEntries = 256;  // a write's; two iovecs each, within IOV_MAX
  using Start = std::array<char, kStart>;
  struct Entry {
    iovec start;
    iovec text;
    size_t length() const { return start.iov_len + text.iov_len; }
  };

  static Start line_start(Stream stream, const timespec& time, char tag);
  /// Writes entries, whole ones only; gives how many, less than `count` after an error that `errno` names.
  size_t write(const Entry* entries, size_t count);
  bool fits(size_t length) const;
  bool rotate();
  bool write_marker();
  void drop(const Entry* entries, size_t count, int reason);

  LogFiles files_;
  const size_t max_bytes_;
  Start complete_{};
  Start partial_{};
  std::array<Entry, kEntries> entries_{};
  size_t count_ = 0;
  size_t queued_ = 0;     // bytes
  bool stuck_ = false;    // this batch has met an error: the rest of it is dropped too
  bool spoiled_ = false;  // the current file ends in half a line that could not be cut off

  unsigned long dropped_lines_ = 0;
  unsigned long dropped_bytes_ = 0;
  int drop_reason_ = 0;  // errno of the first
};

}  // namespace mooring
