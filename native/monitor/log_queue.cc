#include "monitor/log_queue.h"

#include <chrono>
#include <cstring>

namespace mooring {

namespace {

constexpr int kQuietMs = 1000;

}  // namespace

Result<std::unique_ptr<LogQueue>> LogQueue::create(std::unique_ptr<LogWriter> writer) {
  auto one = PageBuffer::create(kMost), other = PageBuffer::create(kMost);
  if (!one) return one.error();
  if (!other) return other.error();
  return std::unique_ptr<LogQueue>(new LogQueue(std::move(writer), std::move(*one), std::move(*other)));
}

void LogQueue::begin(Stream stream, const timespec& time) {
  stream_ = stream;
  time_ = time;
}

void LogQueue::append(const Piece& piece) {
  // What was dropped is told where it is missing, so nothing goes in before that does.
  if (untold_.lines > 0 && push({.time = time_, .length = 0, .stream = stream_, .complete = true, .dropped = untold_}, {})) untold_ = {};
  if (untold_.lines == 0 && push({.time = time_, .length = piece.text.size(), .stream = stream_, .complete = piece.complete, .dropped = {}}, piece.text)) return;
  for (LogLoss* each : {&untold_, &lost_}) {
    ++each->lines;
    each->bytes += piece.text.size();
  }
}

bool LogQueue::push(const Head& head, std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (filling_.used + sizeof head + text.size() > kMost) return false;
  char* const place = filling_.bytes.bytes().data() + filling_.used;
  std::memcpy(place, &head, sizeof head);
  if (!text.empty()) std::memcpy(place + sizeof head, text.data(), text.size());
  filling_.used += sizeof head + text.size();
  return true;
}

void LogQueue::flush() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_one();
}

LogLoss LogQueue::loss() const {
  const LogLoss written = writer_->loss();
  return {lost_.lines + written.lines, lost_.bytes + written.bytes};
}

void LogQueue::finish() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
  }
  changed_.notify_one();
  thread_.join();
  if (untold_.lines == 0) return;
  writer_->missing(std::exchange(untold_, {}));
  writer_->begin(stream_, time_);
  writer_->flush();
}

void LogQueue::run() {
  std::unique_lock lock(mutex_);
  int timeout = kQuietMs;
  for (;;) {
    if (filling_.used > 0) {
      std::swap(filling_.used, writing_.used);
      std::swap(filling_.bytes, writing_.bytes);
      lock.unlock();
      write_out();
      lock.lock();
      timeout = kQuietMs;
    } else if (finishing_) {
      return;
    } else if (timeout < 0) {
      changed_.wait(lock);
    } else if (changed_.wait_for(lock, std::chrono::milliseconds(timeout)) == std::cv_status::timeout && filling_.used == 0) {
      filling_.bytes.give_back();
      writing_.bytes.give_back();
      timeout = writer_->rest();
    }
  }
}

void LogQueue::write_out() {
  const char* at = writing_.bytes.bytes().data();
  const char* const end = at + writing_.used;
  while (at < end) {
    Head head;
    std::memcpy(&head, at, sizeof head);
    at += sizeof head;
    writer_->begin(head.stream, head.time);
    if (head.dropped.lines > 0) {
      writer_->flush();
      writer_->missing(head.dropped);
    } else {
      writer_->append({{at, head.length}, head.complete});
    }
    at += head.length;
  }
  writer_->flush();
  writing_.used = 0;
}

}  // namespace mooring
