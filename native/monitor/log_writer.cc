#include "monitor/log_writer.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

namespace mooring {

namespace {

// Twice what a pump reads at once, for the beginnings of short lines.
constexpr size_t kBufferSize = 128 << 10;

constexpr int kTooFast = -1;

const char* reason_text(int reason) { return reason == kTooFast ? "they came faster than the log was written" : std::strerror(reason); }

}  // namespace

Result<std::unique_ptr<LogWriter>> LogWriter::create(LogFiles files, LogLimits limits) {
  auto buffer = PageBuffer::create(kBufferSize);
  if (!buffer) return buffer.error();
  static_assert(kStart + kLongest <= kBufferSize);
  return std::unique_ptr<LogWriter>(new LogWriter(std::move(files), limits, std::move(*buffer)));
}

LogWriter::Start LogWriter::line_start(Stream stream, const timespec& time, char tag) {
  Start start;
  const auto text = time_text(time);
  std::memcpy(start.data(), text.data(), text.size());
  std::memcpy(start.data() + text.size(), stream == Stream::kStdout ? " stdout " : " stderr ", 8);
  start[kStart - 2] = tag;
  start[kStart - 1] = ' ';
  return start;
}

void LogWriter::begin(Stream stream, const timespec& time) {
  complete_ = line_start(stream, time, 'F');
  partial_ = line_start(stream, time, 'P');
  stuck_ = false;
  if (limits_.max_age > 0 && seconds_left() <= 0) rotate();  // where that fails, the file grows older yet
}

void LogWriter::append(const Piece& piece) {
  const size_t length = kStart + piece.text.size();
  if (queued_ + length > kBufferSize || !fits(length)) flush();
  if (stuck_ || (!fits(length) && !rotate())) return drop({1, piece.text.size()}, errno);
  char* const place = buffer_.bytes().data() + queued_;
  std::memcpy(place, (piece.complete ? complete_ : partial_).data(), kStart);
  std::memcpy(place + kStart, piece.text.data(), piece.text.size());
  queued_ += length;
}

void LogWriter::flush() {
  const std::string_view queued(buffer_.bytes().data(), queued_);
  queued_ = 0;
  size_t done = 0;
  if (!stuck_ && (untold_.lines == 0 || write_marker())) done = write(queued);
  if (done == queued.size()) return;
  const int reason = errno;
  const auto lines = static_cast<size_t>(std::count(queued.begin() + static_cast<ptrdiff_t>(done), queued.end(), '\n'));
  drop({lines, queued.size() - done - lines * kStart}, reason);
}

size_t LogWriter::write(std::string_view lines) {
  size_t done = 0;
  while (done < lines.size()) {
    const std::string_view rest = lines.substr(done);
    const ssize_t count = files_.append(rest);
    if (count < 0) break;
    const auto written = static_cast<size_t>(count);
    const size_t whole = rest.substr(0, written).rfind('\n') + 1;
    if (whole != written && !files_.cut_off(written - whole)) spoiled_ = true;
    done += whole;
    if (whole == 0) {
      errno = ENOSPC;  // there was room for less than a line
      break;
    }
  }
  return done;
}

bool LogWriter::fits(size_t length) const {
  if (spoiled_) return false;
  const size_t size = files_.size() + queued_;
  return size == 0 || size + length <= limits_.max_bytes;
}

bool LogWriter::rotate() {
  const auto rotated = files_.rotate();
  if (rotated)
    spoiled_ = false;
  else
    errno = rotated.error().code;
  return static_cast<bool>(rotated);
}

bool LogWriter::write_marker() {
  char text[kStart + 160];
  const Start start = line_start(Stream::kStderr, now(), 'F');
  std::memcpy(text, start.data(), kStart);
  const int length = std::snprintf(text + kStart, sizeof text - kStart, "[mooring: %lu lines (%lu bytes) are missing here: %s]\n", untold_.lines, untold_.bytes, reason_text(drop_reason_));
  const std::string_view marker(text, kStart + static_cast<size_t>(length));
  const bool full = files_.size() != 0 && files_.size() + marker.size() > limits_.max_bytes;
  if ((full || spoiled_) && !rotate()) return false;
  if (write(marker) != marker.size()) return false;
  untold_ = {};
  return true;
}

void LogWriter::drop(const LogLoss& lost, int reason) {
  stuck_ = true;
  if (untold_.lines == 0) drop_reason_ = reason;
  untold_.lines += lost.lines;
  untold_.bytes += lost.bytes;
  lost_lines_ += lost.lines;
  lost_bytes_ += lost.bytes;
}

void LogWriter::missing(const LogLoss& dropped) {
  if (untold_.lines == 0) drop_reason_ = kTooFast;
  untold_.lines += dropped.lines;
  untold_.bytes += dropped.bytes;
}

time_t LogWriter::seconds_left() const { return files_.size() == 0 ? limits_.max_age : files_.begun() + limits_.max_age - now().tv_sec; }

int LogWriter::rest() {
  buffer_.give_back();
  if (limits_.max_age == 0) return -1;
  if (seconds_left() <= 0) rotate();
  if (files_.size() == 0) return -1;
  return static_cast<int>(std::clamp<long long>(1000LL * seconds_left(), 1000, INT_MAX));
}

}  // namespace mooring
