// Where pieces of a container's output go.
#pragma once

#include <ctime>

#include "monitor/line_splitter.h"

namespace mooring {

enum class Stream { kStdout, kStderr };

/// What a log has not taken. An unfinished or overlong line counts as so many lines as it had pieces.
struct LogLoss {
  unsigned long lines = 0;
  unsigned long bytes = 0;
  bool operator==(const LogLoss&) const = default;
};

class LogSink {
 public:
  virtual ~LogSink() = default;

  /// Begins a batch of pieces that came out of `stream` at one time.
  virtual void begin(Stream stream, const timespec& time) = 0;
  virtual void append(const Piece& piece) = 0;
  virtual void flush() = 0;

  /// All of it, since the monitor began.
  virtual LogLoss loss() const = 0;

  /// For quiet moments: gives memory back, and ends a file that has become too old. Gives in how many milliseconds it wants to be called again, -1 for never.
  virtual int rest() = 0;

  /// Nothing more comes. Returns once all is written.
  virtual void finish() = 0;
};

}  // namespace mooring
