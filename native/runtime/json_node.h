// A value of a JSON document that knows its path, so that every complaint names the field. Only config*.cc include this.
#pragma once

#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "result.h"

namespace mooring {

/// Reading never fails at once: the first complaint is kept in `problem`, an absent or wrong value leaves its target as it is.
class JsonNode {
 public:
  using Json = nlohmann::json;

  JsonNode(const Json& document, std::optional<Error>& problem) : value_(&document), problem_(&problem) {}

  bool present() const { return value_ && !value_->is_null(); }
  bool is_string() const { return present() && value_->is_string(); }
  /// Present, and neither an empty list, object or string, nor zero, which engines write for "not asked for".
  bool has_content() const {
    if (value_ && value_->is_number()) return value_->get<double>() != 0;
    return present() && !value_->empty() && !(is_string() && value_->get_ref<const std::string&>().empty());
  }

  JsonNode at(const char* key) const {
    JsonNode child(*this, key, 0);
    if (!present()) return child;
    if (!value_->is_object()) {
      fail("must be an object");
      return child;
    }
    if (const auto found = value_->find(key); found != value_->end()) child.value_ = &*found;
    return child;
  }

  template <typename F>
  void each(F visit) const {
    if (!present()) return;
    if (!value_->is_array()) return fail("must be a list");
    for (std::size_t index = 0; index < value_->size(); ++index) {
      JsonNode child(*this, nullptr, index);
      child.value_ = &(*value_)[index];
      visit(child);
    }
  }

  /// Visits an object's members with their keys.
  template <typename F>
  void members(F visit) const {
    if (!present()) return;
    if (!value_->is_object()) return fail("must be an object");
    for (auto member = value_->begin(); member != value_->end(); ++member) {
      JsonNode child(*this, member.key().c_str(), 0);
      child.value_ = &*member;
      visit(member.key(), child);
    }
  }

  void read(std::string& out) const {
    if (!present()) return;
    if (!value_->is_string()) return fail("must be a string");
    const auto& text = value_->get_ref<const std::string&>();
    if (text.find('\0') != std::string::npos) return fail("must not hold a NUL character");
    out = text;
  }

  void read(bool& out) const {
    if (!present()) return;
    if (!value_->is_boolean()) return fail("must be true or false");
    out = value_->get<bool>();
  }

  template <std::integral T>
  void read(T& out) const {
    if (!present()) return;
    if (value_->is_number_unsigned()) {
      const auto number = value_->get<uint64_t>();
      if (number > static_cast<uint64_t>(std::numeric_limits<T>::max())) return fail("is too large");
      out = static_cast<T>(number);
    } else if (value_->is_number_integer()) {  // negative
      const auto number = value_->get<int64_t>();
      if (std::unsigned_integral<T> || number < static_cast<int64_t>(std::numeric_limits<T>::min())) return fail("is too small");
      out = static_cast<T>(number);
    } else {
      fail("must be a whole number");
    }
  }

  template <typename T>
  void read(std::optional<T>& out) const {
    if (!present()) return;
    T value{};
    read(value);
    out = std::move(value);
  }

  template <typename T>
  void read(std::vector<T>& out) const {
    each([&](const JsonNode& item) { item.read(out.emplace_back()); });
  }

  void read(std::map<std::string, std::string>& out) const {
    members([&](const std::string& key, const JsonNode& value) { value.read(out[key]); });
  }

  void fail(const std::string& complaint, int code = 0) const {
    if (!*problem_) *problem_ = Error{"config.json: " + path() + ": " + complaint, code};
  }

  void refuse_if_present(const char* reason) const {
    if (has_content()) fail(reason);
  }

 private:
  JsonNode(const JsonNode& parent, const char* key, std::size_t index)
      : parent_(&parent), key_(key), index_(index), problem_(parent.problem_) {}

  std::string path() const {
    if (!parent_) return {};
    std::string prefix = parent_->path();
    if (!key_) return prefix + "[" + std::to_string(index_) + "]";
    const bool plain = std::string_view(key_).find_first_of(".[]\"") == std::string_view::npos;
    if (!plain) return prefix + "[\"" + key_ + "\"]";
    return prefix.empty() ? key_ : prefix + "." + key_;
  }

  const Json* value_ = nullptr;
  const JsonNode* parent_ = nullptr;
  const char* key_ = nullptr;
  std::size_t index_ = 0;
  std::optional<Error>* problem_;
};

}  // namespace mooring
