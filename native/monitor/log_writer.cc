#include "monitor/log_writer.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace mooring {

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
}

void LogWriter::append(const Piece& piece) {
  Start& start = piece.complete ? complete_ : partial_;
  const Entry entry{{start.data(), start.size()}, {const_cast<char*>(piece.text.data()), piece.text.size()}};
  if (count_ == kEntries || !fits(entry.length())) flush();
  if (stuck_ || (!fits(entry.length()) && !rotate())) return drop(&entry, 1, errno);
  entries_[count_++] = entry;
  queued_ += entry.length();
}

void LogWriter::flush() {
  size_t done = 0;
  if (!stuck_ && (dropped_lines_ == 0 || write_marker())) done = write(entries_.data(), count_);
  if (done < count_) drop(&entries_[done], count_ - done, errno);
  count_ = 0;
  queued_ = 0;
}

size_t LogWriter::write(const Entry* entries, size_t count) {
  size_t done = 0;
  while (done < count) {
    // An Entry is two iovecs and nothing else, so an array of them is one of iovecs.
    static_assert(sizeof(Entry) == 2 * sizeof(iovec));
    const ssize_t written = files_.append(&entries[done].start, static_cast<int>(2 * (count - done)));
    if (written < 0) break;
    size_t left = static_cast<size_t>(written);
    const size_t before = done;
    while (done < count && entries[done].length() <= left) left -= entries[done++].length();
    if (left != 0 && !files_.cut_off(left)) spoiled_ = true;
    if (done == before) {
      errno = ENOSPC;  // there was room for less than a line
      break;
    }
  }
  return done;
}

bool LogWriter::fits(size_t length) const {
  if (spoiled_) return false;
  const size_t size = files_.size() + queued_;
  return size == 0 || size + length <= max_bytes_;
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
  char text[160];
  const int length = std::snprintf(text, sizeof text, "[mooring: %lu lines (%lu bytes) are missing here: %s]\n", dropped_lines_, dropped_bytes_, std::strerror(drop_reason_));
  Start start = line_start(Stream::kStderr, now(), 'F');
  const Entry marker{{start.data(), start.size()}, {text, static_cast<size_t>(length)}};
  const bool full = files_.size() != 0 && files_.size() + marker.length() > max_bytes_;
  if ((full || spoiled_) && !rotate()) return false;
  if (write(&marker, 1) != 1) return false;
  dropped_lines_ = dropped_bytes_ = 0;
  return true;
}

void LogWriter::drop(const Entry* entries, size_t count, int reason) {
  stuck_ = true;
  if (dropped_lines_ == 0) drop_reason_ = reason;
  dropped_lines_ += count;
  for (size_t i = 0; i < count; ++i) dropped_bytes_ += entries[i].text.iov_len;
}

}  // namespace mooring
