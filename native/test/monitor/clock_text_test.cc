#include "monitor/clock_text.h"

#include <doctest/doctest.h>

#include <random>

namespace mooring {
namespace {

TEST_CASE("instants are RFC 3339 in UTC with nine digits") {
  CHECK(time_string({0, 0}) == "1970-01-01T00:00:00.000000000Z");
  CHECK(time_string({951782400, 1}) == "2000-02-29T00:00:00.000000001Z");
  CHECK(time_string({4107542399, 999999999}) == "2100-02-28T23:59:59.999999999Z");
}

TEST_CASE("what is no such instant is told") {
  for (const char* text : {"", "2000-02-30T00:00:00.000000000Z", "2000-02-29 00:00:00.000000000Z", "2000-02-29T00:00:00Z", "x000-02-29T00:00:00.000000000Z"}) CHECK(parse_time_text(text) == -1);
}

TEST_CASE("the C library says the same") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 1000; ++round) {
    const time_t second = static_cast<time_t>(random() % 10'000'000'000ull);
    tm parts{};
    REQUIRE(gmtime_r(&second, &parts) != nullptr);
    char text[64];
    REQUIRE(strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000000042Z", &parts) == kTimeTextLength);
    REQUIRE(time_string({second, 42}) == text);
    REQUIRE(parse_time_text(text) == second);
  }
}

}  // namespace
}  // namespace mooring
