#include "oci/flags.h"

#include <doctest/doctest.h>

using namespace mooring;
using namespace mooring::oci;

namespace {

constexpr Flag flags[] = {{"bundle", 'b'}, {"force", 'f', false}, {"env", 'e'}, {"rdt", 0, true, "there is none"}};

Result<Arguments> parse(std::vector<const char*> words, std::size_t flags_end_at_operand = 100, int* next = nullptr) {
  return parse_arguments(static_cast<int>(words.size()), const_cast<char**>(words.data()), flags, flags_end_at_operand, next);
}

std::string complaint(std::vector<const char*> words) {
  auto arguments = parse(std::move(words));
  return arguments ? "" : arguments.error().message;
}

}  // namespace

TEST_CASE("flags in all their forms, among the operands") {
  auto arguments = parse({"--bundle", "x", "id", "-f", "--env=A=b", "-e", "C", "-e="});
  REQUIRE(arguments);
  CHECK(arguments->value("bundle") == "x");
  CHECK(arguments->has("force"));
  CHECK(arguments->all("env") == std::vector<std::string>{"A=b", "C", ""});
  CHECK(arguments->operands() == std::vector<std::string>{"id"});
  CHECK(arguments->value("rdt", "none") == "none");
  CHECK(!parse({"--force=false"})->has("force"));
  CHECK(parse({"-bundle", "y"})->value("bundle") == "y");  // as Go's flags have it
}

TEST_CASE("what follows the last operand that flags may stand behind is the program's own") {
  CHECK(parse({"id", "sh", "-c", "--force"}, 1)->operands() == std::vector<std::string>{"id", "sh", "-c", "--force"});
  CHECK(parse({"--", "--force"})->operands() == std::vector<std::string>{"--force"});
  CHECK(parse({"-"})->operands() == std::vector<std::string>{"-"});
  int next = 0;
  REQUIRE(parse({"-b", "x", "create", "--force"}, 1, &next));
  CHECK(next == 2);
}

TEST_CASE("what is wrong with flags") {
  CHECK(complaint({"--frob"}) == "unknown flag --frob");
  CHECK(complaint({"-z"}) == "unknown flag -z");
  CHECK(complaint({"--bundle"}) == "flag --bundle needs a value");
  CHECK(complaint({"--force=maybe"}) == "flag --force takes no value");
  CHECK(complaint({"--rdt", "x"}) == "flag --rdt: there is none");
}
