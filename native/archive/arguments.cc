#include "archive/arguments.h"

#include <algorithm>
#include <charconv>

namespace mooring {

Result<Arguments> Arguments::parse(int argc, char** argv, const std::vector<std::string>& options) {
  Arguments arguments;
  for (int at = 0; at < argc; ++at) {
    const std::string word = argv[at];
    if (!word.starts_with("--")) {
      arguments.words_.push_back(word);
      continue;
    }
    const std::string option = word.substr(2);
    if (std::ranges::find(options, option) == options.end()) return Error{"there is no option " + word};
    if (++at == argc) return Error{word + " wants a value"};
    arguments.options_[option].push_back(argv[at]);
  }
  return arguments;
}

const std::vector<std::string>& Arguments::all(const std::string& option) const {
  static const std::vector<std::string> none;
  const auto found = options_.find(option);
  return found == options_.end() ? none : found->second;
}

std::optional<std::string> Arguments::last(const std::string& option) const {
  const auto& values = all(option);
  return values.empty() ? std::nullopt : std::optional(values.back());
}

std::optional<uint64_t> number(const std::string& text) {
  uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace mooring
