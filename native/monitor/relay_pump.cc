#include "monitor/relay_pump.h"

#include <fcntl.h>

#include <algorithm>

namespace mooring {

namespace {

constexpr size_t kBufferSize = 32 << 10;
constexpr size_t kTerminalHolds = 64 << 10;

}  // namespace

Result<std::unique_ptr<RelayPump>> RelayPump::create(EventLoop& loop, AttachServer& clients, Stream stream, UniqueFd source) {
  if (::fcntl(source.get(), F_SETFL, O_NONBLOCK) != 0) return sys_error("fcntl F_SETFL a process's output");
  auto buffer = PageBuffer::create(kBufferSize);
  if (!buffer) return buffer.error();
  return std::unique_ptr<RelayPump>(new RelayPump(loop, clients, stream, std::move(source), std::move(*buffer)));
}

void RelayPump::resume() {
  if (source_ && !reading_) reading_ = static_cast<bool>(loop_.add(source_.get(), *this));
}

void RelayPump::pause() {
  if (reading_) loop_.remove(source_.get());
  reading_ = false;
  buffer_.give_back();
}

void RelayPump::ready() {
  if (reading_) pump();
}

size_t RelayPump::pump() {
  if (!source_) return 0;
  if (!clients_.have_room()) {
    pause();
    return 0;
  }
  const ssize_t count = ::read(source_.get(), buffer_.bytes().data(), buffer_.bytes().size());
  if (count < 0 && errno == EAGAIN) {
    if (ending_) left_ = 0;
    return 0;
  }
  if (count <= 0) {  // no writer is left; a pty says EIO then
    pause();
    source_.reset();
    return 0;
  }
  clients_.output(stream_, {buffer_.bytes().data(), static_cast<size_t>(count)});
  return static_cast<size_t>(count);
}

bool RelayPump::drained() {
  if (source_ && !std::exchange(ending_, true)) {
    // What it wrote is at the front of the pipe, and so within its capacity; others may hold the pipe open, and write on.
    const int capacity = ::fcntl(source_.get(), F_GETPIPE_SZ);
    left_ = capacity > 0 ? static_cast<size_t>(capacity) : kTerminalHolds;
  }
  while (source_ && left_ > 0) {
    const size_t count = pump();
    if (count == 0) break;
    left_ -= std::min(left_, count);
  }
  if (left_ == 0 && source_) {
    pause();
    source_.reset();
  }
  return !source_;
}

}  // namespace mooring
