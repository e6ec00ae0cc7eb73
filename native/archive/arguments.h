// The command line: words, and options with one value each that may come several times ("--below /a --below /b").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/result.h"

namespace mooring {

class Arguments {
 public:
  /// `options` are those that exist, without their dashes.
  static Result<Arguments> parse(int argc, char** argv, const std::vector<std::string>& options);

  const std::vector<std::string>& words() const { return words_; }
  const std::vector<std::string>& all(const std::string& option) const;
  std::optional<std::string> last(const std::string& option) const;

 private:
  std::vector<std::string> words_;
  std::map<std::string, std::vector<std::string>> options_;
};

/// A decimal number and nothing else.
std::optional<uint64_t> number(const std::string& text);

}  // namespace mooring
