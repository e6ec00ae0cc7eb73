// A command's flags, as runc and crun take them: --name value, --name=value, -n value, --switch.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.h"

namespace mooring::oci {

struct Flag {
  std::string_view name;
  char letter = 0;
  bool takes_value = true;
  const char* refused = nullptr;  // why it is not done
};

class Arguments {
 public:
  bool has(const std::string& flag) const { return values_.contains(flag); }
  /// The last value given, or `otherwise`.
  std::string value(const std::string& flag, const std::string& otherwise = "") const;
  const std::vector<std::string>& all(const std::string& flag) const;
  const std::vector<std::string>& operands() const { return operands_; }

 private:
  friend Result<Arguments> parse_arguments(int argc, char** argv, std::span<const Flag> flags, std::size_t flags_end_at_operand, int* next);
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> operands_;
};

/// Flags may stand among the operands, but none is looked for after the operand number `flags_end_at_operand` (1: the first). With `next`, parsing stops before that one and its index goes there.
Result<Arguments> parse_arguments(int argc, char** argv, std::span<const Flag> flags, std::size_t flags_end_at_operand, int* next = nullptr);

}  // namespace mooring::oci
