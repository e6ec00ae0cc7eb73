#include "archive/layer_stream.h"

#include <unistd.h>

#include <future>
#include <latch>
#include <system_error>
#include <thread>

#include "archive/decompressor.h"
#include "archive/relay.h"
#include "archive/sha256.h"

namespace mooring {

namespace {

constexpr size_t kUnpacker = 0;
constexpr size_t kHasher = 1;
constexpr int kThreads = 2;

Status decompress_into(Relay& relay, int growth) {
  auto content = decompress(STDIN_FILENO, growth);
  if (!content) return content.error();
  for (;;) {
    char* const space = relay.space();
    const auto count = (*content)->read(space, Relay::kPieceBytes);
    if (!count) return count.error();
    if (*count == 0) return ok();
    relay.publish(*count);
  }
}

LayerStream::Measure measure_of(Relay& relay) {
  Sha256 hash;
  LayerStream::Measure measure{};
  for (;;) {
    const auto piece = relay.next(kHasher);
    // Why it ended is the unpacker's to tell.
    if (!piece || piece->empty()) break;
    hash.update(*piece);
    measure.size += piece->size();
  }
  measure.digest = hash.digest();
  return measure;
}

}  // namespace

struct LayerStream::Shared {
  explicit Shared(int growth) : growth(growth) {}

  const int growth;
  Relay relay;
  std::latch running{kThreads};
  std::promise<Measure> measured;
};

LayerStream::LayerStream(int growth) : shared_(std::make_shared<Shared>(growth)) {}
LayerStream::~LayerStream() = default;

Status LayerStream::start() {
  try {
    std::thread([shared = shared_] {
      shared->running.count_down();
      shared->relay.end(decompress_into(shared->relay, shared->growth));
    }).detach();
    std::thread([shared = shared_] {
      shared->running.count_down();
      shared->measured.set_value(measure_of(shared->relay));
    }).detach();
  } catch (const std::system_error& error) {
    return Error{std::string("start a thread: ") + error.what(), error.code().value()};
  }
  // What a thread does at its own start is more than the filter lets it.
  shared_->running.wait();
  return ok();
}

Result<std::string_view> LayerStream::next() { return shared_->relay.next(kUnpacker); }

LayerStream::Measure LayerStream::measure() { return shared_->measured.get_future().get(); }

}  // namespace mooring
