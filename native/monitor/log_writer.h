// Writes pieces of output to a log in the CRI format, `<time> <stream> <F|P> <text>`, with rotation by size and age.
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "monitor/clock_text.h"
#include "monitor/log_files.h"
#include "monitor/log_sink.h"
#include "monitor/page_buffer.h"

namespace mooring {

struct LogLimits {
  size_t max_bytes = 0;
  time_t max_age = 0;  // seconds; 0: files grow old
};

/// Lines are whole in every file, and a file outgrows `max_bytes` only by a single line that is longer, or by a marker. A file whose first line is older than `max_age` is ended.
///
/// When a write or a rotation fails, because the disk is full as a rule, the container is not held up: what can't be written is dropped and counted, half a line
/// that was written is cut off, and the next batch tries again. The first that succeeds begins with a marker, a line on stderr that says how much is missing.
class LogWriter final : public LogSink {
 public:
  static Result<std::unique_ptr<LogWriter>> create(LogFiles files, LogLimits limits);
  LogWriter(const LogWriter&) = delete;

  void begin(Stream stream, const timespec& time) override;
  /// At most kLongest bytes of text.
  void append(const Piece& piece) override;
  void flush() override;
  LogLoss loss() const override { return {lost_lines_, lost_bytes_}; }
  int rest() override;
  void finish() override { flush(); }

  static constexpr size_t kLongest = 64 << 10;

  /// Pieces that somebody before us has dropped, for want of time: the marker will tell, `loss` does not count them. Between flush and append.
  void missing(const LogLoss& dropped);

 private:
  static constexpr size_t kStart = kTimeTextLength + sizeof " stdout F " - 1;
  using Start = std::array<char, kStart>;

  LogWriter(LogFiles files, LogLimits limits, PageBuffer buffer) : files_(std::move(files)), limits_(limits), buffer_(std::move(buffer)) {}
  static Start line_start(Stream stream, const timespec& time, char tag);
  /// Writes whole lines only; gives how many bytes, less than all after an error that `errno` names.
  size_t write(std::string_view lines);
  bool fits(size_t length) const;
  bool rotate();
  bool write_marker();
  void drop(const LogLoss& lost, int reason);
  time_t seconds_left() const;

  LogFiles files_;
  const LogLimits limits_;
  PageBuffer buffer_;
  size_t queued_ = 0;  // bytes in the buffer
  Start complete_{};
  Start partial_{};
  bool stuck_ = false;    // this batch has met an error: the rest of it is dropped too
  bool spoiled_ = false;  // the current file ends in half a line that could not be cut off

  LogLoss untold_;       // for the next marker
  int drop_reason_ = 0;  // errno of the first of these, or kTooFast
  std::atomic<unsigned long> lost_lines_ = 0;  // read by another thread
  std::atomic<unsigned long> lost_bytes_ = 0;
};

}  // namespace mooring
