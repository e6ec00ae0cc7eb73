// Cuts a stream of bytes into lines, inside one fixed buffer.
#pragma once

#include <cstring>
#include <span>
#include <string_view>

namespace mooring {

/// Part of a log: always ends in a newline, which the stream need not have held.
struct Piece {
  std::string_view text;
  bool complete;  // false where the line goes on in the next piece, because it is longer than the buffer
};

class LineSplitter {
 public:
  /// Borrows `buffer`, of at least 2 bytes. The last byte is kept for a newline.
  explicit LineSplitter(std::span<char> buffer) : buffer_(buffer) {}

  /// Where the next bytes go; never empty. Pieces that were given out before are no longer valid.
  std::span<char> room() {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    return buffer_.subspan(end_, capacity() - end_);
  }

  /// Takes over `count` bytes that were put into the room, and gives each piece that is whole by now.
  template <typename Each>
  void filled(size_t count, Each&& each) {
    size_t unseen = end_;
    end_ += count;
    while (void* found = std::memchr(buffer_.data() + unseen, '\n', end_ - unseen)) {
      unseen = static_cast<size_t>(static_cast<char*>(found) - buffer_.data()) + 1;
      continued_ = false;
      each(Piece{take(unseen), true});
    }
    if (begin_ == 0 && end_ == capacity()) give_rest(false, each);
  }

  /// The stream has ended: gives the last line, where it is unterminated.
  template <typename Each>
  void finish(Each&& each) {
    if (begin_ != end_ || continued_) give_rest(true, each);
  }

  /// Whether a line has begun whose end is yet to come.
  bool holds_part() const { return begin_ != end_; }

 private:
  size_t capacity() const { return buffer_.size() - 1; }

  std::string_view take(size_t end) {
    const std::string_view text(buffer_.data() + begin_, end - begin_);
    begin_ = end;
    return text;
  }

  template <typename Each>
  void give_rest(bool complete, Each&& each) {
    buffer_[end_] = '\n';
    const std::string_view text(buffer_.data() + begin_, end_ + 1 - begin_);
    begin_ = end_ = 0;
    continued_ = !complete;
    each(Piece{text, complete});
  }

  const std::span<char> buffer_;
  size_t begin_ = 0;  // of the line under way
  size_t end_ = 0;
  bool continued_ = false;  // its beginning was given out already
};

}  // namespace mooring
