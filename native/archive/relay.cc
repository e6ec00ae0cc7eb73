#include "archive/relay.h"

#include <algorithm>

namespace mooring {

char* Relay::space() {
  std::unique_lock lock(mutex_);
  // A reader still has the last piece that it asked for.
  moved_.wait(lock, [&] { return std::ranges::all_of(asked_, [&](size_t asked) { return written_ + 1 < std::max<size_t>(asked, 1) + kPieces; }); });
  return pieces_[written_ % kPieces].bytes.get();
}

void Relay::publish(size_t count) {
  const std::lock_guard lock(mutex_);
  pieces_[written_++ % kPieces].count = count;
  moved_.notify_all();
}

void Relay::end(Status outcome) {
  const std::lock_guard lock(mutex_);
  outcome_ = std::move(outcome);
  moved_.notify_all();
}

Result<std::string_view> Relay::next(size_t reader) {
  std::unique_lock lock(mutex_);
  const size_t wanted = asked_[reader]++;
  moved_.notify_all();
  moved_.wait(lock, [&] { return wanted < written_ || outcome_.has_value(); });
  if (wanted < written_) return std::string_view(pieces_[wanted % kPieces].bytes.get(), pieces_[wanted % kPieces].count);
  if (!*outcome_) return outcome_->error();
  return std::string_view();
}

}  // namespace mooring
