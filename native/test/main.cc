#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "runtime/self_exe.h"

int main(int argc, char** argv) {
  if (const auto done = mooring::rerun_read_only(argv); !done) {
    std::fprintf(stderr, "%s\n", done.error().message.c_str());
    return 1;
  }
  return doctest::Context(argc, argv).run();
}
