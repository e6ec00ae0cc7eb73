#include "mutator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <vector>

namespace mooring::test {
namespace {

double from_environment(const char* name, double otherwise) {
  const char* set = std::getenv(name);
  return set && *set ? std::strtod(set, nullptr) : otherwise;
}

const std::vector<std::string> stumbling_blocks = {std::string(1, 0), "\n", "\r\n", "\\", "\"", "{", "}", "[", "]", ",", ":", "-", "0", "-1", "4294967295", "4294967296", "18446744073709551615", "9223372036854775808",
                                                   "1e999", "../", "/../", "/", "\xff", "\xc3\x28", "\xed\xa0\x80", "\\u0000", "\\ud800", "null", "true", ")", ") ", "%s%n", std::string(300, 'A')};

void change_bytes(Random& random, std::string& text) {
  const std::size_t at = random.below(text.size() + 1), length = random.below(std::min<std::size_t>(text.size() - at, 32) + 1);
  switch (random.below(6)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << random.below(8)));
      break;
    case 1: text.erase(at, length); break;
    case 2: text.insert(at, text.substr(at, length)); break;
    case 3: text.insert(random.below(text.size() + 1), text.substr(at, length)); break;
    case 4: text.insert(at, stumbling_blocks[random.below(stumbling_blocks.size())]); break;
    default: text.replace(at, length, stumbling_blocks[random.below(stumbling_blocks.size())]); break;
  }
}

void collect(Json& value, std::vector<Json*>& all) {
  all.push_back(&value);
  if (value.is_structured())
    for (Json& member : value) collect(member, all);
}

Json odd_value(Random& random) {
  switch (random.below(14)) {
    case 0: return nullptr;
    case 1: return random.one_in(2);
    case 2: return 0;
    case 3: return -1;
    case 4: return std::numeric_limits<int64_t>::min();
    case 5: return std::numeric_limits<uint64_t>::max();
    case 6: return int64_t{1} << random.below(63);
    case 7: return 0.5;
    case 8: return "";
    case 9: return std::string(1 + random.below(5000), 'a');
    case 10: return stumbling_blocks[random.below(stumbling_blocks.size() - 1)];
    case 11: return Json::array();
    case 12: return Json::object();
    default: {
      Json deep = 1;
      for (std::size_t i = random.below(60); i > 0; --i) deep = Json::array({deep});
      return deep;
    }
  }
}

void change_value(Random& random, Json& document) {
  std::vector<Json*> all;
  collect(document, all);
  Json& one = *all[random.below(all.size())];
  const Json other = *all[random.below(all.size())];
  switch (random.below(4)) {
    case 0: one = odd_value(random); break;
    case 1: one = other; break;
    case 2:
      if (one.is_array() && !one.empty()) one.push_back(one[random.below(one.size())]);
      else if (one.is_string()) one = mutated(random, one.get<std::string>());
      break;
    default:
      if (one.is_structured() && !one.empty()) one.erase(std::next(one.begin(), static_cast<std::ptrdiff_t>(random.below(one.size()))));
      break;
  }
}

}  // namespace

uint64_t Random::next() {
  state_ += 0x9e3779b97f4a7c15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::string mutated(Random& random, std::string text) {
  for (std::size_t i = 1 + random.below(4); i > 0; --i) change_bytes(random, text);
  return text;
}

std::string mutated_document(Random& random, const Json& document) {
  Json changed = document;
  for (std::size_t i = 1 + random.below(3); i > 0; --i) change_value(random, changed);
  const std::string text = changed.dump(-1, ' ', false, Json::error_handler_t::ignore);
  return random.one_in(8) ? mutated(random, text) : text;
}

void rounds(unsigned count, const std::function<void(Random&)>& try_one) {
  const auto seed = static_cast<uint64_t>(from_environment("MOORING_FUZZ_SEED", 1));
  const double times = from_environment("MOORING_FUZZ_TIMES", 1);
  for (uint64_t round = 0; static_cast<double>(round) < count * times; ++round) {
    Random random(seed * 0x100000001b3 + round);
    CAPTURE(seed);
    CAPTURE(round);
    try_one(random);
  }
}

}  // namespace mooring::test
