#include "monitor/log_pump.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "monitor/log_writer.h"

namespace mooring {

namespace {

// As much as a pipe holds by default. A longer line is logged in parts.
constexpr size_t kBufferSize = 64 << 10;
static_assert(kBufferSize <= kMaxPayload && kBufferSize <= LogWriter::kLongest);

// A pipe of a container that writes without a pause is widened, so that the two of us need not take turns. The most that Linux gives without asking (pipe(7)).
constexpr int kWide = 1 << 20;
constexpr unsigned kFlood = 16;

}  // namespace

Result<std::unique_ptr<LogPump>> LogPump::start(EventLoop& loop, LogSink& log, AttachServer& clients, Stream stream, UniqueFd source) {
  // The flag is the open file's: it does not reach the other end, which is the container's.
  if (::fcntl(source.get(), F_SETFL, O_NONBLOCK) != 0) return sys_error("fcntl F_SETFL a container's output");
  auto buffer = PageBuffer::create(kBufferSize);
  if (!buffer) return buffer.error();
  std::unique_ptr<LogPump> pump(new LogPump(loop, log, clients, stream, std::move(source), std::move(*buffer)));
  MOORING_TRY(loop.add(pump->source_.get(), *pump));
  return pump;
}

void LogPump::ready() {
  if (clients_.have_room()) {
    pump();
  } else {
    pause();
  }
}

void LogPump::pause() {
  if (source_ && !std::exchange(paused_, true)) loop_.remove(source_.get());
}

void LogPump::resume() {
  if (source_ && paused_) paused_ = !loop_.add(source_.get(), *this);
}

size_t LogPump::pump() {
  if (!source_) return 0;
  const std::span<char> room = lines_.room();
  const ssize_t count = ::read(source_.get(), room.data(), room.size());
  if (count < 0 && errno == EAGAIN) return 0;
  if (count <= 0) {  // no writer is left; a pty says EIO then
    end();
    return 0;
  }
  widen_when_flooded(static_cast<size_t>(count) == room.size());
  clients_.output(stream_, {room.data(), static_cast<size_t>(count)});
  log_.begin(stream_, now());
  lines_.filled(static_cast<size_t>(count), [this](const Piece& piece) { log_.append(piece); });
  log_.flush();
  return static_cast<size_t>(count);
}

void LogPump::widen_when_flooded(bool full) {
  full_reads_ = full ? full_reads_ + 1 : 0;
  if (full_reads_ == kFlood) ::fcntl(source_.get(), F_SETPIPE_SZ, kWide);  // a pty refuses, or the host has reached its bound: then as before
}

void LogPump::finish() {
  // What the process wrote is at the front of the pipe, and so within its capacity. A pty's queues are no longer than a pipe.
  // Clients that it waited for need not have room: their sockets' bound is far beyond that and what they were full with.
  const int capacity = ::fcntl(source_.get(), F_GETPIPE_SZ);
  size_t left = capacity > 0 ? static_cast<size_t>(capacity) : kBufferSize;
  while (left > 0) {
    const size_t count = pump();
    if (count == 0) break;
    left -= std::min(left, count);
  }
  end();
}

void LogPump::end() {
  if (!source_) return;
  log_.begin(stream_, now());
  lines_.finish([this](const Piece& piece) { log_.append(piece); });
  log_.flush();
  if (!paused_) loop_.remove(source_.get());
  source_.reset();
}

void LogPump::rest() {
  if (!lines_.holds_part()) buffer_.give_back();
}

}  // namespace mooring
