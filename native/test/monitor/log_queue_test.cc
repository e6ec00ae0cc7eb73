#include "monitor/log_queue.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <string>

#include "temp_folder.h"

namespace mooring {
namespace {

using test::TempFolder;

constexpr timespec kTime{951782400, 5};

std::unique_ptr<LogQueue> open_queue(const std::filesystem::path& path, size_t max_bytes) {
  auto files = LogFiles::open(path, 2);
  REQUIRE(files);
  auto writer = LogWriter::create(std::move(*files), {max_bytes, 0});
  REQUIRE(writer);
  auto queue = LogQueue::create(std::move(*writer));
  REQUIRE(queue);
  return std::move(*queue);
}

void put(LogQueue& queue, const std::string& line) {
  queue.begin(Stream::kStdout, kTime);
  queue.append({line, true});
  queue.flush();
}

TEST_CASE("what the log keeps up with is written whole, in order") {
  const TempFolder folder;
  auto queue = open_queue(folder.path() / "log", 64 << 20);
  std::string wanted;
  for (int i = 0; i < 20000; ++i) {
    const std::string line = std::to_string(i) + "\n";
    put(*queue, line);
    wanted += "2000-02-29T00:00:00.000000005Z stdout F " + line;
    if (i % 1000 == 0) ::usleep(1000);
  }
  queue->finish();
  CHECK(queue->loss() == LogLoss{});
  CHECK(folder.read("log") == wanted);
}

TEST_CASE("a log that is stuck holds nobody up: what is dropped is counted, and told where it is missing") {
  const TempFolder folder;
  const std::string path = folder.path() / "log";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);  // takes 64 KiB until somebody reads it
  auto queue = open_queue(path, size_t{1} << 40);
  const std::string filling(990, 'x');
  const unsigned long count = 10000;
  for (unsigned long i = 0; i < count; ++i) put(*queue, std::to_string(100000 + i) + filling + "\n");
  const LogLoss lost = queue->loss();
  CHECK(lost.lines > count - 5 * (LogQueue::kMost / 1000));
  CHECK(lost.bytes == lost.lines * 997);

  const UniqueFd reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  std::thread ending([&] {
    queue->finish();
    queue.reset();  // the only writer, so that the reader comes to an end
  });
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(reader.get(), buffer, sizeof buffer);
    if (got == 0) break;
    if (got > 0) text.append(buffer, static_cast<size_t>(got));
  }
  ending.join();
  unsigned long next = 0, missing = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    REQUIRE(end != std::string::npos);
    const std::string_view line(text.data() + at + 40, end - at - 40);
    at = end + 1;
    unsigned long number = 0;
    if (line.starts_with("[mooring: ")) {
      CHECK(line.ends_with(" are missing here: they came faster than the log was written]"));
      std::from_chars(line.data() + 10, line.data() + line.size(), number);
      missing += number;
      next += number;
      continue;
    }
    std::from_chars(line.data(), line.data() + 6, number);
    REQUIRE(number == 100000 + next++);
    REQUIRE(line.substr(6) == filling);
  }
  CHECK(next == count);
  CHECK(missing == lost.lines);
}

}  // namespace
}  // namespace mooring
