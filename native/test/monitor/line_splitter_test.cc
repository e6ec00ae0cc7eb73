#include "monitor/line_splitter.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace mooring {
namespace {

struct Taken {
  std::string text;
  bool complete;
  bool operator==(const Taken&) const = default;
};

/// What comes of `input`, given in chunks whose sizes `next` says.
template <typename Next>
std::vector<Taken> split(const std::string& input, size_t buffer_size, Next next) {
  std::string buffer(buffer_size, '\0');
  LineSplitter lines(buffer);
  std::vector<Taken> taken;
  const auto take = [&](const Piece& piece) { taken.push_back({std::string(piece.text), piece.complete}); };
  for (size_t at = 0; at < input.size();) {
    const auto room = lines.room();
    REQUIRE(!room.empty());
    const size_t count = std::min({room.size(), input.size() - at, std::max<size_t>(1, next())});
    std::copy_n(input.data() + at, count, room.data());
    lines.filled(count, take);
    at += count;
  }
  lines.finish(take);
  return taken;
}

std::vector<Taken> split_whole(const std::string& input, size_t buffer_size) {
  return split(input, buffer_size, [] { return ~size_t{0}; });
}

TEST_CASE("lines are cut behind their newlines") {
  CHECK(split_whole("one\ntwo\n\nthree\n", 64) == std::vector<Taken>{{"one\n", true}, {"two\n", true}, {"\n", true}, {"three\n", true}});
}

TEST_CASE("the last line gets the newline that it lacks") {
  CHECK(split_whole("one\ntail", 64) == std::vector<Taken>{{"one\n", true}, {"tail\n", true}});
  CHECK(split_whole("", 64).empty());
}

TEST_CASE("a line that is longer than the buffer comes in parts, of which only the last is complete") {
  CHECK(split_whole("0123456789\nab\n", 5) == std::vector<Taken>{{"0123\n", false}, {"4567\n", false}, {"89\n", true}, {"ab\n", true}});
}

TEST_CASE("a line exactly as long as the buffer ends in an empty piece") {
  CHECK(split_whole("0123\n", 5) == std::vector<Taken>{{"0123\n", false}, {"\n", true}});
  CHECK(split_whole("0123", 5) == std::vector<Taken>{{"0123\n", false}, {"\n", true}});
  CHECK(split_whole("012\n", 5) == std::vector<Taken>{{"012\n", true}});
}

TEST_CASE("NUL and other bytes are text") {
  const std::string odd("\0\xff\r\n", 4);
  CHECK(split_whole(odd, 8) == std::vector<Taken>{{odd, true}});
}

TEST_CASE("no byte is lost or moved, however the stream is chunked") {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string input;
    const size_t length = random() % 400;
    for (size_t i = 0; i < length; ++i) input += random() % 9 == 0 ? '\n' : static_cast<char>('a' + random() % 26);
    const size_t buffer_size = 2 + random() % 40;
    std::string joined;
    for (const Taken& piece : split(input, buffer_size, [&] { return random() % 50; })) {
      REQUIRE(piece.text.back() == '\n');
      REQUIRE(piece.text.size() <= buffer_size);
      joined += piece.complete ? piece.text : piece.text.substr(0, piece.text.size() - 1);
    }
    if (!input.empty() && input.back() != '\n') input += '\n';
    REQUIRE(joined == input);
  }
}

}  // namespace
}  // namespace mooring
