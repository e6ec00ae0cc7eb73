// Inputs that are nearly right, made from right ones: the same ones in each run, unless the environment says otherwise.
//   MOORING_FUZZ_SEED=N     others (default 1)
//   MOORING_FUZZ_TIMES=N    N times as many (default 1, some seconds in all; 0.25: a quarter)
// A failure names the seed and the round, which make the input again.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace mooring::test {

using Json = nlohmann::json;

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers with every C++ library.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next();
  /// 0 to `limit` - 1.
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }
  bool one_in(std::size_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

/// `text` with some bytes flipped, cut, doubled, moved, or replaced by what parsers stumble over.
std::string mutated(Random& random, std::string text);

/// `document` with some values gone, doubled, of another kind, or at the edge of what a kind holds; then as text, in which some bytes may be wrong.
std::string mutated_document(Random& random, const Json& document);

/// Calls `try_one` so many times, each with a fresh Random of that round's own.
void rounds(unsigned count, const std::function<void(Random&)>& try_one);

}  // namespace mooring::test
