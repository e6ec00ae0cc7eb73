// Reads the options of a subcommand.
#pragma once

#include <charconv>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/result.h"

namespace mooring {

struct Option {
  const char* name;  // without the dashes
  std::function<Status(const char* value)> take;
  bool optional = false;
};

/// Each option has a value, and those that are not optional must be there. `argv[0]` is the subcommand's name. The Error says which option is wrong, and how.
Status parse_options(int argc, char** argv, std::span<const Option> options);

Status parse_path(const char* name, std::string_view text, std::string& path);

template <typename Number>
Status parse_number(const char* name, std::string_view text, Number least, Number& value) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure == std::errc{} && end == text.data() + text.size() && value >= least) return ok();
  return Error{std::string("--") + name + " wants a number from " + std::to_string(least) + " on, not \"" + std::string(text) + "\"", 0};
}

/// How a process is given its standard input.
enum class StandardInput {
  kNone,
  kOpen,  // from clients, for as long as it lives
  kOnce,  // from clients, until the first that writes has no more
};

Status parse_standard_input(const char* name, std::string_view text, StandardInput& input);

}  // namespace mooring
