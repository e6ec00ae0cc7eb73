#include "monitor/json_text.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace mooring {
namespace {

using Json = nlohmann::json;

TEST_CASE("every ASCII character comes back from JSON as it went in") {
  std::string all;
  for (char c = 0; c >= 0 && c < 127; ++c) all += c;
  CHECK(Json::parse(json_string(all)).get<std::string>() == all);
}

TEST_CASE("JSON is one line") {
  CHECK(json_string("a\nb\r\"\\\t") == R"("a\u000ab\u000d\"\\\u0009")");
}

TEST_CASE("well-formed UTF-8 stays") {
  const std::string text = "ñ € 𝄞 \u07ff \ud7ff \ue000 \U0010ffff";
  CHECK(json_string(text) == "\"" + text + "\"");
}

TEST_CASE("what is not UTF-8 is replaced, and no byte behind it is swallowed") {
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\xaf", "\xff", "\xe2\x82"}) {
    CAPTURE(Json(std::string(bad).size()));
    const std::string text = Json::parse(json_string(std::string(bad) + "\"end")).get<std::string>();  // throws on what is not JSON
    CHECK(text.starts_with("\ufffd"));
    CHECK(text.ends_with("\"end"));
  }
}

TEST_CASE("objects nest, and keep the order of their members") {
  JsonObject inner, outer;
  inner.number("pid", -1);
  outer.text("a\"", "b").number("n", 9007199254740991).boolean("t", true).null("none").object("in", inner);
  CHECK(outer.str() == R"({"a\"":"b","n":9007199254740991,"t":true,"none":null,"in":{"pid":-1}})");
  CHECK(JsonObject().str() == "{}");
}

}  // namespace
}  // namespace mooring
