// The container's standard input, as the monitor writes it: a pipe, or a terminal.
#pragma once

#include <string_view>

#include "monitor/event_loop.h"
#include "monitor/page_buffer.h"

namespace mooring {

/// Told when more can be written to an Input that was full.
class InputUser {
 public:
  virtual ~InputUser() = default;
  virtual void input_has_room() = 0;
};

/// Never blocks: what the container does not take at once is kept, and until it has, there is no room for more.
class Input : private Pollable {
 public:
  /// The most that may be written while there is room.
  static constexpr size_t kMost = 4096;

  static Result<Input> create(EventLoop& loop);
  Input(Input&&) = default;

  Status open(UniqueFd target, bool terminal, InputUser& user);
  bool is_open() const { return static_cast<bool>(target_); }
  bool has_room() const { return count_ == 0; }
  void write(std::string_view bytes);
  /// End of file, behind what was written. A terminal, which has no such thing, is sent its end-of-file character, and stays.
  void end();

 private:
  Input(EventLoop& loop, PageBuffer kept) : loop_(&loop), kept_(std::move(kept)) {}
  void ready() override;
  size_t push(std::string_view bytes);
  void close();
  /// Stops waiting for room, and forgets what was kept.
  void rest();

  EventLoop* loop_;
  InputUser* user_ = nullptr;
  UniqueFd target_;
  bool terminal_ = false;
  bool ending_ = false;
  bool waiting_ = false;
  PageBuffer kept_;
  size_t begin_ = 0;
  size_t count_ = 0;
};

}  // namespace mooring
