#include "monitor/monitor_options.h"

#include <doctest/doctest.h>

#include <vector>

namespace mooring {
namespace {

Result<MonitorOptions> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "monitor");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return parse_monitor_options(static_cast<int>(words.size()), argv.data());
}

std::vector<std::string> good() {
  return {"--id", "c1", "--bundle", "/b", "--state-dir=/s", "--log", "/l/log", "--log-max-bytes", "1000", "--log-max-files", "3", "--status-fd", "3"};
}

std::string complaint(std::vector<std::string> words) {
  const auto parsed = parse(std::move(words));
  return parsed ? "" : parsed.error().message;
}

TEST_CASE("a whole command line is understood") {
  const auto options = parse(good());
  REQUIRE(options);
  CHECK(options->id == "c1");
  CHECK(options->bundle == "/b");
  CHECK(options->state_dir == "/s");
  CHECK(options->log == "/l/log");
  CHECK(options->log_max_bytes == 1000);
  CHECK(options->log_max_files == 3);
  CHECK(options->status_fd == 3);
  CHECK(options->input == StandardInput::kNone);
  CHECK(options->log_max_age == 0);
  CHECK(!options->log_drops);
  auto more = good();
  for (const char* word : {"--log-max-age", "86400", "--log-mode=drop"}) more.push_back(word);
  const auto dropping = parse(more);
  REQUIRE(dropping);
  CHECK(dropping->log_max_age == 86400);
  CHECK(dropping->log_drops);
  more.back() = "--log-mode=often";
  CHECK(complaint(more) == "--log-mode wants block or drop, not \"often\"");
}

TEST_CASE("every complaint names the option") {
  auto missing = good();
  missing.resize(missing.size() - 2);
  CHECK(complaint(missing) == "--status-fd is missing");
  auto extra = good();
  extra.push_back("more");
  CHECK(complaint(extra) == "unexpected argument \"more\"");
  CHECK(complaint({"--id"}) == "--id wants a value");
  CHECK(complaint({"--colour"}) == "unknown option --colour");
  CHECK(complaint({"--bundle", "b"}) == "--bundle wants an absolute path, not \"b\"");
  CHECK(complaint({"--log-max-files", "0"}) == "--log-max-files wants a number from 1 on, not \"0\"");
  CHECK(complaint({"--log-max-bytes", "1k"}) == "--log-max-bytes wants a number from 1 on, not \"1k\"");
  CHECK(complaint({"--stdin", "yes"}) == "--stdin wants none, open or once, not \"yes\"");
  CHECK(complaint({"--status-fd", "2"}) == "--status-fd wants a number from 3 on, not \"2\"");
}

}  // namespace
}  // namespace mooring
