#include "monitor/attach_frames.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace mooring {
namespace {

std::string frame(Frame kind, std::string_view payload) {
  const auto head = frame_head(kind, payload.size());
  return std::string(head.begin(), head.end()).append(payload);
}

/// What a parser tells, in words; `cut` bytes are fed at a time.
std::string told(const std::string& bytes, size_t cut) {
  RequestParser parser;
  std::string words, input;
  for (size_t at = 0; at < bytes.size(); at += cut) {
    const bool good = parser.feed(std::string_view(bytes).substr(at, cut), [&](const Request& request) {
      if (request.kind == Frame::kStdin && request.bytes.empty()) words += "writes;";
      if (request.kind == Frame::kStdin) input += request.bytes;
      if (request.kind == Frame::kStdinEnd) words += "end;";
      if (request.kind == Frame::kResize) words += std::to_string(request.rows) + "x" + std::to_string(request.columns) + ";";
    });
    if (!good) return words + input + "!";
  }
  return words + input;
}

TEST_CASE("a frame's head has the kind and a big-endian length") {
  CHECK(frame_head(Frame::kStdout, 0x010203) == std::array<uint8_t, 4>{2, 1, 2, 3});
  CHECK(frame_head(Frame::kEnded, 1) == std::array<uint8_t, 4>{4, 0, 0, 1});
}

TEST_CASE("requests are the same however the stream is cut") {
  const std::string text(kMaxPayload, 'x');
  const std::string bytes = frame(Frame::kStdin, "") + frame(Frame::kResize, std::string("\x00\x18\x01\x02", 4)) + frame(Frame::kStdin, "hello ") +
                            frame(Frame::kResize, std::string("\xff\xff\x00\x01", 4)) + frame(Frame::kStdin, text) + frame(Frame::kStdinEnd, "");
  const std::string expected = "writes;24x258;65535x1;end;hello " + text;
  for (const size_t cut : {1ul, 2ul, 3ul, 5ul, 7ul, 4096ul, bytes.size()}) CHECK(told(bytes, cut) == expected);
}

TEST_CASE("what is no request is refused at its head") {
  CHECK(told(frame(Frame::kStdout, "x"), 1) == "!");
  CHECK(told(frame(static_cast<Frame>(0), ""), 4) == "!");
  CHECK(told(frame(Frame::kStdinEnd, "x"), 4) == "!");
  CHECK(told(frame(Frame::kResize, "123"), 4) == "!");
  CHECK(told(frame(Frame::kResize, "12345"), 4) == "!");
  CHECK(told(frame(Frame::kStdin, std::string(kMaxPayload + 1, 'x')), 4) == "!");
  CHECK(told("GET / HTTP/1.1\r\n", 16) == "!");
}

}  // namespace
}  // namespace mooring
