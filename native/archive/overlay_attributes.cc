#include "archive/overlay_attributes.h"

#include <sys/xattr.h>

namespace mooring {

namespace {

/// Reads what is of unknown size and may change between two calls.
template <typename Read>
Result<std::string> read_sized(Read read, const std::string& what) {
  std::string value(256, '\0');
  for (;;) {
    const ssize_t size = read(value.data(), value.size());
    if (size >= 0) {
      value.resize(static_cast<size_t>(size));
      return value;
    }
    if (errno == ENOTSUP || errno == ENODATA) return std::string();
    if (errno != ERANGE) return sys_error(what);
    const ssize_t wanted = read(nullptr, 0);
    if (wanted < 0) return sys_error(what);
    value.resize(static_cast<size_t>(wanted) + 256);
  }
}

}  // namespace

bool keeps_attribute(std::string_view name) { return (name.starts_with("user.") && !name.starts_with("user.overlay.")) || name == "security.capability"; }

Result<std::vector<std::string>> attribute_names(const std::string& file) {
  const auto list = read_sized([&](char* to, size_t size) { return ::llistxattr(file.c_str(), to, size); }, "list its attributes");
  if (!list) return list.error();
  std::vector<std::string> names;
  for (size_t at = 0; at < list->size();) {
    names.emplace_back(list->c_str() + at);
    at += names.back().size() + 1;
  }
  return names;
}

Result<std::string> attribute(const std::string& file, const std::string& name) {
  return read_sized([&](char* to, size_t size) { return ::lgetxattr(file.c_str(), name.c_str(), to, size); }, "read its attribute " + name);
}

Result<std::map<std::string, std::string>> kept_attributes(const std::string& file) {
  const auto names = attribute_names(file);
  if (!names) return names.error();
  std::map<std::string, std::string> kept;
  for (const std::string& name : *names) {
    if (!keeps_attribute(name)) continue;
    auto value = attribute(file, name);
    if (!value) return value.error();
    kept.emplace(name, std::move(*value));
  }
  return kept;
}

bool is_opaque(const std::string& folder) {
  const auto value = attribute(folder, kOpaqueAttribute);
  return value && *value == "y";
}

Status require_whole(const std::string& file) {
  const auto names = attribute_names(file);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (name == "trusted.overlay.redirect" || name == "trusted.overlay.metacopy")
      return Error{"it is only a reference into the layers below (" + name + "), made under another overlay's options"};
  }
  return ok();
}

}  // namespace mooring
