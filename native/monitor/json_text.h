// Writes JSON objects. Reading them is the library's business.
#pragma once

#include <string>
#include <string_view>

namespace mooring {

/// A JSON string with its quotes. What is not UTF-8, as a path may be, is written as U+FFFD.
std::string json_string(std::string_view text);

class JsonObject {
 public:
  JsonObject& text(std::string_view key, std::string_view value);
  JsonObject& number(std::string_view key, long long value);
  JsonObject& boolean(std::string_view key, bool value);
  JsonObject& null(std::string_view key);
  JsonObject& object(std::string_view key, const JsonObject& value);

  /// On one line, without a newline behind it.
  std::string str() const { return "{" + members_ + "}"; }

 private:
  JsonObject& member(std::string_view key, std::string_view value);
  std::string members_;
};

}  // namespace mooring
