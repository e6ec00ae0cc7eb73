// Shows attached clients what a process writes to one stream, as fast as the slowest of them takes it.
#pragma once

#include <memory>

#include "monitor/attach_server.h"
#include "monitor/page_buffer.h"

namespace mooring {

class RelayPump : public Pollable {
 public:
  /// Reads nothing before `resume`. `source` is a pipe's read end or a pty master.
  static Result<std::unique_ptr<RelayPump>> create(EventLoop& loop, AttachServer& clients, Stream stream, UniqueFd source);

  void ready() override;
  void resume();

  /// The process has ended, and what it left is all there is to come; true once that is through.
  bool drained();

 private:
  RelayPump(EventLoop& loop, AttachServer& clients, Stream stream, UniqueFd source, PageBuffer buffer)
      : loop_(loop), clients_(clients), stream_(stream), source_(std::move(source)), buffer_(std::move(buffer)) {}
  /// Gives how many bytes it moved.
  size_t pump();
  void pause();

  EventLoop& loop_;
  AttachServer& clients_;
  const Stream stream_;
  UniqueFd source_;
  PageBuffer buffer_;
  bool reading_ = false;
  size_t left_ = 0;  // that the process can have left, once it has ended
  bool ending_ = false;
};

}  // namespace mooring
