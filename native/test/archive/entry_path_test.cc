#include "archive/entry_path.h"

#include <doctest/doctest.h>

using namespace mooring;

TEST_CASE("a layer's path has no slash in front, and no empty or dot component") {
  CHECK(*layer_path("/etc//./passwd", 9) == "etc/passwd");
  CHECK(*layer_path("./", 9) == "");
  CHECK(*layer_path("a...", 9) == "a...");
}

TEST_CASE("a path that leads upwards, or too deep, is refused") {
  CHECK_FALSE(layer_path("a/../../b", 9));
  CHECK_FALSE(layer_path("..", 9));
  CHECK_FALSE(layer_path("a/b/c", 2));
  CHECK(layer_path("a/b", 2));
}

TEST_CASE("the last component says whether a name is a deletion mark") {
  CHECK(*name_kind("a/b") == NameKind::kPlain);
  CHECK(*name_kind("a/.wh.b") == NameKind::kWhiteout);
  CHECK(*name_kind("a/.wh..wh..opq") == NameKind::kOpaque);
  CHECK(*name_kind(".wh..wh.plnk/12") == NameKind::kIgnored);
  CHECK(*name_kind(".wh..wh.aufs") == NameKind::kIgnored);
  CHECK(whiteout_target("a/.wh.b") == "a/b");
  CHECK(whiteout_target(".wh.b") == "b");
}

TEST_CASE("a deletion mark without a name, or with something below it, is refused") {
  for (const char* name : {".wh.", "a/.wh..", ".wh...", ".wh.a/b"}) CHECK_FALSE(name_kind(name));
}
