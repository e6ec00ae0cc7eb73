#include <doctest/doctest.h>

#include "bundle.h"

using namespace mooring;
using namespace mooring::test;

TEST_CASE("runs a program and passes its output and exit code on") {
  Bundle bundle;
  const Ended ended = bundle.script("echo out; echo err >&2; exit 7").run();
  CHECK(ended.status == 7);
  CHECK(ended.output == "out\nerr\n");
}
