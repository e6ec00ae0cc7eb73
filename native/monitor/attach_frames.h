// What goes over an attach socket, a unix stream socket: frames, in both directions. src/lib/attach-frames.ts is the other side.
//
//   byte 0     kind
//   bytes 1–3  length of the payload, big-endian, at most kMaxPayload
//   then       the payload
//
//   from the monitor                                       to the monitor
//   1 welcome  a byte of Welcome flags; comes first        16 stdin      bytes; with none the client says that it means to write
//   2 stdout   bytes, of a terminal all that it shows      17 stdin end  this client writes no more
//   3 stderr   bytes                                       18 resize     rows and columns, two bytes each, big-endian
//   4 ended    a byte, the exit code; comes last
//   5 dropped  the client did not keep up; comes last
//
// The monitor hangs up on a client that sends anything else. A client that hangs up is detached.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace mooring {

enum class Frame : uint8_t { kWelcome = 1, kStdout, kStderr, kEnded, kDropped, kStdin = 16, kStdinEnd, kResize };

/// Flags of a welcome.
constexpr uint8_t kWelcomeTerminal = 1;
constexpr uint8_t kWelcomeStdin = 2;  // standard input is open, and may be written

constexpr size_t kFrameHead = 4;
constexpr size_t kMaxPayload = 64 << 10;

/// `length` is at most kMaxPayload.
inline std::array<uint8_t, kFrameHead> frame_head(Frame kind, size_t length) {
  return {static_cast<uint8_t>(kind), static_cast<uint8_t>(length >> 16), static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)};
}

/// Part of what a client has sent.
struct Request {
  Frame kind = Frame::kStdin;
  std::string_view bytes{};  // of standard input
  unsigned short rows = 0, columns = 0;
};

/// Takes a client's bytes apart, however they are cut. Keeps no input of the container's: that goes on in the pieces it came in.
class RequestParser {
 public:
  /// Calls `each` with every request, or part of the input, that `bytes` complete. False when they are no frames: then no more may be fed.
  template <typename Each>
  bool feed(std::string_view bytes, Each&& each) {
    while (!bytes.empty()) {
      if (head_.size() < kFrameHead) {
        head_.take(bytes, kFrameHead);
        if (head_.size() < kFrameHead) return true;
        if (!begin(each)) return false;
      } else if (kind() == Frame::kStdin) {
        const std::string_view piece = bytes.substr(0, left_);
        bytes.remove_prefix(piece.size());
        left_ -= piece.size();
        each(Request{.bytes = piece});
      } else {
        left_ -= size_.take(bytes, left_ + size_.size());
        if (left_ == 0) each(Request{.kind = Frame::kResize, .rows = size_.number(0), .columns = size_.number(2)});
      }
      if (left_ == 0) head_.clear(), size_.clear();
    }
    return true;
  }

 private:
  /// At most four bytes, collected.
  class Few {
   public:
    size_t size() const { return size_; }
    void clear() { size_ = 0; }
    /// Moves bytes over until there are `wanted`; gives how many.
    size_t take(std::string_view& from, size_t wanted) {
      const std::string_view taken = from.substr(0, wanted - size_);
      std::memcpy(bytes_.data() + size_, taken.data(), taken.size());
      from.remove_prefix(taken.size());
      size_ += taken.size();
      return taken.size();
    }
    uint8_t operator[](size_t i) const { return bytes_[i]; }
    unsigned short number(size_t i) const { return static_cast<unsigned short>(bytes_[i] << 8 | bytes_[i + 1]); }

   private:
    std::array<uint8_t, 4> bytes_{};
    size_t size_ = 0;
  };

  Frame kind() const { return static_cast<Frame>(head_[0]); }

  template <typename Each>
  bool begin(Each&& each) {
    left_ = static_cast<size_t>(head_[1]) << 16 | static_cast<size_t>(head_[2]) << 8 | head_[3];
    switch (kind()) {
      case Frame::kStdin:
        if (left_ == 0) each(Request{});
        return left_ <= kMaxPayload;
      case Frame::kStdinEnd:
        if (left_ == 0) each(Request{.kind = Frame::kStdinEnd});
        return left_ == 0;
      case Frame::kResize:
        return left_ == 4;
      default:
        return false;
    }
  }

  Few head_;
  Few size_;         // a resize's payload
  size_t left_ = 0;  // of the payload
};

}  // namespace mooring
