#include "flags.h"

namespace mooring::oci {
namespace {

const Flag* find_flag(std::span<const Flag> flags, std::string_view name) {
  for (const Flag& flag : flags)
    if (flag.name == name || (name.size() == 1 && flag.letter == name[0])) return &flag;
  return nullptr;
}

}  // namespace

std::string Arguments::value(const std::string& flag, const std::string& otherwise) const {
  const auto found = values_.find(flag);
  return found == values_.end() ? otherwise : found->second.back();
}

const std::vector<std::string>& Arguments::all(const std::string& flag) const {
  static const std::vector<std::string> none;
  const auto found = values_.find(flag);
  return found == values_.end() ? none : found->second;
}

Result<Arguments> parse_arguments(int argc, char** argv, std::span<const Flag> flags, std::size_t flags_end_at_operand, int* next) {
  Arguments arguments;
  bool flags_end = false;
  for (int i = 0; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (flags_end || !word.starts_with('-') || word == "-") {
      if (next && arguments.operands_.size() + 1 == flags_end_at_operand) {
        *next = i;
        return arguments;
      }
      arguments.operands_.emplace_back(word);
      flags_end = flags_end || arguments.operands_.size() >= flags_end_at_operand;
      continue;
    }
    if (word == "--") {
      flags_end = true;
      continue;
    }
    std::string_view name = word.substr(word.starts_with("--") ? 2 : 1);
    const std::size_t equals = name.find('=');
    const bool attached = equals != std::string_view::npos;
    const std::string_view value = attached ? name.substr(equals + 1) : std::string_view();
    name = name.substr(0, equals);
    const Flag* flag = find_flag(flags, name);
    if (!flag) return Error{"unknown flag " + std::string(word)};
    auto& values = arguments.values_[std::string(flag->name)];
    if (!flag->takes_value) {
      if (attached && value == "false") {
        arguments.values_.erase(std::string(flag->name));
        continue;
      }
      if (attached && value != "true") return Error{"flag --" + std::string(flag->name) + " takes no value"};
      values.emplace_back("true");
    } else if (attached) {
      values.emplace_back(value);
    } else if (i + 1 < argc) {
      values.emplace_back(argv[++i]);
    } else {
      return Error{"flag --" + std::string(flag->name) + " needs a value"};
    }
    if (flag->refused) return Error{"flag --" + std::string(flag->name) + ": " + flag->refused};
  }
  if (next) *next = argc;
  return arguments;
}

}  // namespace mooring::oci
