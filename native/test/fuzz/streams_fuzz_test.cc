// Streams of bytes that come in whatever pieces: attach frames, lines of a log; and the one line of /proc/<pid>/stat.
#include <doctest/doctest.h>

#include "monitor/attach_frames.h"
#include "monitor/line_splitter.h"
#include "monitor/start_time.h"
#include "mutator.h"

using namespace mooring;
using namespace mooring::test;

namespace {

/// Cuts `bytes` at random, and gives each piece to `take` until that has enough.
void cut(Random& random, std::string_view bytes, const std::function<bool(std::string_view)>& take) {
  while (!bytes.empty()) {
    const std::size_t size = 1 + random.below(std::min<std::size_t>(bytes.size(), random.one_in(3) ? 4 : 5000));
    // A copy of its own, so that reading beyond it is noticed.
    const std::string piece(bytes.substr(0, size));
    if (!take(piece)) return;
    bytes.remove_prefix(size);
  }
}

std::string frame(Frame kind, std::string_view payload) {
  const auto head = frame_head(kind, payload.size());
  return std::string(head.begin(), head.end()).append(payload);
}

/// All that a parser says of these bytes, and whether it hung up.
std::string told(Random& random, const std::string& bytes) {
  RequestParser parser;
  std::string words, input;
  cut(random, bytes, [&](std::string_view piece) {
    const bool good = parser.feed(piece, [&](const Request& request) {
      if (request.kind == Frame::kStdin) input += request.bytes;
      else if (request.kind == Frame::kStdinEnd) words += "end " + std::to_string(input.size()) + ";";
      else words += std::to_string(request.rows) + "x" + std::to_string(request.columns) + ";";
    });
    if (!good) words += "!";
    return good;
  });
  return words + input;
}

}  // namespace

TEST_CASE("fuzz: attach frames mean the same however they are cut, and end at the first that is none") {
  const std::string good = frame(Frame::kStdin, "") + frame(Frame::kResize, std::string("\x00\x18\x01\x02", 4)) + frame(Frame::kStdin, "hello") + frame(Frame::kStdin, std::string(9000, 'x')) + frame(Frame::kStdinEnd, "");
  rounds(6000, [&](Random& random) {
    const std::string bytes = mutated(random, good);
    CHECK(told(random, bytes) == told(random, bytes));
  });
}

TEST_CASE("fuzz: the lines of a log are all that was written, in order, wherever it is cut") {
  rounds(6000, [&](Random& random) {
    std::string text;
    for (std::size_t i = random.below(40); i > 0; --i) text += std::string(random.below(random.one_in(5) ? 600 : 20), static_cast<char>('a' + random.below(26))) + (random.one_in(4) ? "" : "\n");
    text = mutated(random, text);
    std::string buffer(2 + random.below(300), '\0'), whole;
    LineSplitter lines(buffer);
    const auto take = [&](const Piece& piece) {
      REQUIRE(!piece.text.empty());
      CHECK(piece.text.find('\n') == piece.text.size() - 1);
      whole += piece.complete ? piece.text : piece.text.substr(0, piece.text.size() - 1);
    };
    for (std::size_t at = 0; at < text.size();) {
      const auto room = lines.room();
      REQUIRE(!room.empty());
      const std::size_t count = 1 + random.below(std::min(room.size(), text.size() - at));
      std::copy_n(text.data() + at, count, room.data());
      lines.filled(count, take);
      at += count;
    }
    lines.finish(take);
    const bool unterminated = !text.empty() && text.back() != '\n';
    CHECK(whole == text + (unterminated ? "\n" : ""));
  });
}

TEST_CASE("fuzz: a process's start time is found behind any name, and in no line that is cut short") {
  rounds(20000, [&](Random& random) {
    const std::string name = mutated(random, "sh) S 1 (x"), fields = " S 1 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765";
    CHECK(parse_start_time("12 (" + name + ")" + fields + " 1000 2 3\n") == 98765);
    const std::string line = "12 (sh)" + fields;
    CHECK(parse_start_time(line.substr(0, random.below(line.size() + 1))) == -1);
    const std::string broken = mutated(random, line + " 1000 2 3\n");
    CHECK(parse_start_time(broken) >= std::numeric_limits<long long>::min());  // whatever it says, it ends
  });
}
