#include "monitor/start_time.h"

#include <doctest/doctest.h>

namespace mooring {
namespace {

TEST_CASE("the start time is field 22, whatever the command is called") {
  CHECK(parse_start_time("12 (a) 0 ) b) S 1 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 2 3\n") == 98765);
}

TEST_CASE("a line that is cut short has no start time") {
  CHECK(parse_start_time("") == -1);
  CHECK(parse_start_time("12 (sh) S 1 12") == -1);
  CHECK(parse_start_time("12 (sh) S 1 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98") == -1);
}

TEST_CASE("this process has one, and a process that is not there has none") {
  const auto ours = start_time_of(getpid());
  REQUIRE(ours);
  CHECK(*ours > 0);
  const auto none = start_time_of(-1);
  REQUIRE(!none);
  CHECK(none.error().code == ENOENT);
}

}  // namespace
}  // namespace mooring
