#include "monitor/log_writer.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <regex>
#include <vector>

#include "temp_folder.h"

namespace mooring {
namespace {

using test::TempFolder;

constexpr timespec kTime{951782400, 5};
const std::string kStart = "2000-02-29T00:00:00.000000005Z stdout F ";

class Log {
 public:
  Log(const std::filesystem::path& path, size_t max_bytes, unsigned max_files, time_t max_age = 0) {
    auto files = LogFiles::open(path, max_files);
    REQUIRE(files);
    auto writer = LogWriter::create(std::move(*files), {max_bytes, max_age});
    REQUIRE(writer);
    writer_ = std::move(*writer);
  }
  void write(const std::vector<std::string>& lines) {
    writer_->begin(Stream::kStdout, kTime);
    for (const std::string& line : lines) writer_->append({line, true});
    writer_->flush();
  }
  LogWriter& writer() { return *writer_; }

 private:
  std::unique_ptr<LogWriter> writer_;
};

/// Small, so that it is soon full.
class TinyDisk {
 public:
  TinyDisk() { REQUIRE(::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=16k") == 0); }
  ~TinyDisk() { ::umount2(folder_.path().c_str(), MNT_DETACH); }
  const TempFolder& folder() const { return folder_; }

 private:
  const TempFolder folder_;
};

TEST_CASE("an entry is its time, its stream, its tag and its text") {
  const TempFolder folder;
  Log log(folder.path() / "log", 1 << 20, 2);
  log.write({"one\n"});
  log.writer().begin(Stream::kStderr, kTime);
  log.writer().append({"part\n", false});
  log.writer().flush();
  CHECK(folder.read("log") == kStart + "one\n2000-02-29T00:00:00.000000005Z stderr P part\n");
  struct stat info {};
  REQUIRE(::stat((folder.path() / "log").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0640);
}

TEST_CASE("files rotate before they outgrow their bound, the oldest go, and no line is lost in those that are kept") {
  const TempFolder folder;
  const size_t bound = 10 * (kStart.size() + 5);  // ten lines of "0000\n"
  Log log(folder.path() / "log", bound, 3);
  std::vector<std::string> lines;
  for (int i = 1000; i < 1999; ++i) lines.push_back(std::to_string(i) + "\n");
  log.write(lines);
  const auto file = [&](int first, int last) {
    std::string text;
    for (int i = first; i <= last; ++i) text += kStart + std::to_string(i) + "\n";
    return text;
  };
  CHECK(folder.read("log") == file(1990, 1998));
  CHECK(folder.read("log.1") == file(1980, 1989));
  CHECK(folder.read("log.2") == file(1970, 1979));
  CHECK(!std::filesystem::exists(folder.path() / "log.3"));
}

TEST_CASE("a single file begins anew") {
  const TempFolder folder;
  Log log(folder.path() / "log", kStart.size() + 2, 1);
  log.write({"1\n", "2\n", "3\n"});
  CHECK(folder.read("log") == kStart + "3\n");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a line that is longer than the bound has a file of its own") {
  const TempFolder folder;
  Log log(folder.path() / "log", 100, 4);
  const std::string line(300, 'x');
  log.write({"a\n", line + "\n", "b\n"});
  CHECK(folder.read("log.2") == kStart + "a\n");
  CHECK(folder.read("log.1") == kStart + line + "\n");
  CHECK(folder.read("log") == kStart + "b\n");
}

TEST_CASE("a log is gone on with, behind the half line that a killed monitor left") {
  const TempFolder folder;
  folder.write("log", kStart + "whole\n" + kStart + "ha");
  Log(folder.path() / "log", 1 << 20, 2).write({"next\n"});
  CHECK(folder.read("log") == kStart + "whole\n" + kStart + "ha\n" + kStart + "next\n");
}

TEST_CASE("more pieces than one write takes") {
  const TempFolder folder;
  Log log(folder.path() / "log", 1 << 20, 2);
  log.write(std::vector<std::string>(5000, "x\n"));
  std::string all;
  for (int i = 0; i < 5000; ++i) all += kStart + "x\n";
  CHECK(folder.read("log") == all);
}

TEST_CASE("on a full disk whole lines are kept, the rest is counted, and a marker stands where it is missing") {
  const TinyDisk disk;
  Log log(disk.folder().path() / "log", 1 << 20, 2);
  disk.folder().write("ballast", std::string(4096, 'b'));
  const std::string line(100, 'x');
  const size_t entry = kStart.size() + line.size() + 1;
  log.write(std::vector<std::string>(200, line + "\n"));
  log.write({"still no room for this line\n"});
  const size_t kept = disk.folder().read("log").size();
  CHECK(kept % entry == 0);
  CHECK(kept > 3 * 4096 - entry);
  const size_t lines = 200 - kept / entry + 1;
  const size_t bytes = (lines - 1) * (line.size() + 1) + 28;

  std::filesystem::remove(disk.folder().path() / "ballast");
  log.write({"room again\n"});
  const std::string text = disk.folder().read("log").substr(kept);
  const std::regex wanted("\\S+ stderr F \\[mooring: " + std::to_string(lines) + " lines \\(" + std::to_string(bytes) + " bytes\\) are missing here: No space left on device\\]\n\\S+ stdout F room again\n");
  CHECK_MESSAGE(std::regex_match(text, wanted), text);
}

TEST_CASE("a file whose first line is too old is ended, be it an earlier run's, and also when nothing is written") {
  const TempFolder folder;
  folder.write("log", kStart + "of the year 2000\n");
  {
    Log log(folder.path() / "log", 1 << 20, 3, 3600);
    CHECK(folder.read("log.1").empty());
    CHECK(log.writer().rest() == -1);  // the file is empty again
    CHECK(folder.read("log.1") == kStart + "of the year 2000\n");
    log.write({"young\n"});
    const int left = log.writer().rest();
    CHECK(left > 3500'000);
    CHECK(left <= 3600'000);
  }
  Log log(folder.path() / "log", 1 << 20, 3, 3600);  // which finds the time that stands in the first line
  log.write({"of today\n"});
  CHECK(folder.read("log.1") == kStart + "young\n");
  CHECK(folder.read("log.2") == kStart + "of the year 2000\n");
}

TEST_CASE("what is lost is counted") {
  const TinyDisk disk;
  Log log(disk.folder().path() / "log", 1 << 20, 2);
  log.write(std::vector<std::string>(1000, std::string(99, 'x') + "\n"));
  const LogLoss lost = log.writer().loss();
  CHECK(lost.lines > 800);
  CHECK(lost.bytes == lost.lines * 100);
}

TEST_CASE("where rotation fails the file does not grow") {
  const TempFolder folder;
  const std::string line(200, 'x');
  const std::string full = kStart + line + "\n" + kStart + line + "\n";
  Log log(folder.path() / "log", full.size(), 2);
  std::filesystem::create_directories(folder.path() / "log.1" / "in the way");
  log.write({line + "\n", line + "\n", "3\n"});
  log.write({"4\n"});
  CHECK(folder.read("log") == full);
  std::filesystem::remove_all(folder.path() / "log.1");
  log.write({"5\n"});
  CHECK(folder.read("log.1") == full);
  const std::string text = folder.read("log");
  CHECK_MESSAGE(text.find("[mooring: 2 lines (4 bytes) are missing here: ") != std::string::npos, text);
  CHECK_MESSAGE(text.ends_with(kStart + "5\n"), text);
}

}  // namespace
}  // namespace mooring
