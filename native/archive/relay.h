// Hands bytes from one thread on to two others, each of which gets all of them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "runtime/result.h"

namespace mooring {

class Relay {
 public:
  static constexpr size_t kReaders = 2;
  static constexpr size_t kPieceBytes = 512 * 1024;

  /// Where the writer puts the next piece, at most kPieceBytes. Waits until both readers have left it.
  char* space();
  void publish(size_t count);
  /// Nothing more comes: all is there, or that is why not.
  void end(Status outcome);

  /// The next piece, which stays until the same reader asks again; nothing at the end. Waits for it.
  Result<std::string_view> next(size_t reader);

 private:
  static constexpr size_t kPieces = 8;

  struct Piece {
    std::unique_ptr<char[]> bytes = std::make_unique<char[]>(kPieceBytes);
    size_t count = 0;
  };

  std::mutex mutex_;
  std::condition_variable moved_;
  Piece pieces_[kPieces];
  size_t written_ = 0;
  size_t asked_[kReaders] = {};  // pieces that a reader has asked for: all but the last of them it has left
  std::optional<Status> outcome_;
};

}  // namespace mooring
