// Moves what a container writes to one stream into its log, and shows it to attached clients.
#pragma once

#include <memory>

#include "monitor/attach_server.h"
#include "monitor/event_loop.h"
#include "monitor/line_splitter.h"
#include "monitor/log_sink.h"
#include "monitor/page_buffer.h"

namespace mooring {

class LogPump : public Pollable {
 public:
  /// `source` is a pipe's read end or a pty master.
  static Result<std::unique_ptr<LogPump>> start(EventLoop& loop, LogSink& log, AttachServer& clients, Stream stream, UniqueFd source);

  void ready() override;
  /// Reads on, once the clients that the container waits for have room.
  void resume();

  /// The container's process has ended: takes what it left, and no more. Others may hold the stream open, and even write on.
  void finish();

  /// Gives the buffer's memory back, unless half a line stands in it. For quiet moments.
  void rest();

 private:
  LogPump(EventLoop& loop, LogSink& log, AttachServer& clients, Stream stream, UniqueFd source, PageBuffer buffer)
      : loop_(loop), log_(log), clients_(clients), stream_(stream), source_(std::move(source)), buffer_(std::move(buffer)), lines_(buffer_.bytes()) {}
  /// Gives how many bytes it moved: 0 when there were none, or no more will come.
  size_t pump();
  void pause();
  void end();
  void widen_when_flooded(bool full);

  EventLoop& loop_;
  LogSink& log_;
  AttachServer& clients_;
  const Stream stream_;
  UniqueFd source_;
  PageBuffer buffer_;
  LineSplitter lines_;
  bool paused_ = false;
  unsigned full_reads_ = 0;  // in a row
};

}  // namespace mooring
