#include "monitor/exit_record.h"

#include "monitor/durable_file.h"
#include "temp_folder.h"

namespace mooring {
namespace {

using test::TempFolder;

siginfo_t ended(int code, int status) {
  siginfo_t info{};
  info.si_code = code;
  info.si_status = status;
  return info;
}

TEST_CASE("an exit has a code and no signal") {
  const ExitRecord record = ExitRecord::of(ended(CLD_EXITED, 3));
  CHECK(record.json() == R"({"exitCode":3,"signal":null,"oomKilled":false,"startedAt":"1970-01-01T00:00:00.000000000Z","finishedAt":"1970-01-01T00:00:00.000000000Z"})");
}

TEST_CASE("a death by signal n counts as code 128 + n, with a core or without") {
  for (const int code : {CLD_KILLED, CLD_DUMPED}) {
    ExitRecord record = ExitRecord::of(ended(code, SIGSEGV));
    record.oom_killed = true;
    CHECK(record.json().starts_with(R"({"exitCode":139,"signal":11,"oomKilled":true,)"));
  }
}

TEST_CASE("the record replaces an older one in the bundle, and leaves no temporary file") {
  const TempFolder bundle, state;
  bundle.write("exit.json", "old");
  auto bundle_fd = open_folder(bundle.path()), state_fd = open_folder(state.path());
  REQUIRE((bundle_fd && state_fd));
  CHECK(write_exit_record(ExitRecord{.exit_code = 7}, *bundle_fd, *state_fd));
  CHECK(bundle.read("exit.json") == ExitRecord{.exit_code = 7}.json() + "\n");
  CHECK(std::distance(std::filesystem::directory_iterator(bundle.path()), {}) == 1);
  CHECK(std::filesystem::is_empty(state.path()));
}

TEST_CASE("without a bundle the record goes to the state folder") {
  const TempFolder bundle, state;
  const auto gone = bundle.path() / "gone";
  std::filesystem::create_directory(gone);
  auto bundle_fd = open_folder(gone), state_fd = open_folder(state.path());
  REQUIRE((bundle_fd && state_fd));
  std::filesystem::remove(gone);
  CHECK(write_exit_record(ExitRecord{.exit_code = 7}, *bundle_fd, *state_fd));
  CHECK(state.read("exit.json") == ExitRecord{.exit_code = 7}.json() + "\n");
  CHECK(remove_exit_records(*bundle_fd, *state_fd));
  CHECK(std::filesystem::is_empty(state.path()));
}

}  // namespace
}  // namespace mooring
