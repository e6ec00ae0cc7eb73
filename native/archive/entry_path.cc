#include "archive/entry_path.h"

namespace mooring {

namespace {
constexpr std::string_view kWhiteoutPrefix = ".wh.";
constexpr std::string_view kReservedPrefix = ".wh..wh.";
constexpr std::string_view kOpaqueMark = ".wh..wh..opq";
}  // namespace

Result<std::string> layer_path(std::string_view name, size_t max_depth) {
  std::string path;
  size_t depth = 0;
  for (size_t at = 0; at <= name.size();) {
    const size_t slash = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, slash - at);
    at = slash + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") return Error{"its name leads upwards with \"..\""};
    if (++depth > max_depth) return Error{"it lies more than " + std::to_string(max_depth) + " folders deep"};
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

std::string_view folder_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view base_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

Result<NameKind> name_kind(std::string_view path) {
  for (std::string_view folder = folder_of(path); !folder.empty(); folder = folder_of(folder)) {
    if (base_of(folder).starts_with(kReservedPrefix)) return NameKind::kIgnored;
    if (base_of(folder).starts_with(kWhiteoutPrefix)) return Error{"it lies below a deletion mark"};
  }
  const std::string_view base = base_of(path);
  if (!base.starts_with(kWhiteoutPrefix)) return NameKind::kPlain;
  if (base == kOpaqueMark) return NameKind::kOpaque;
  if (base.starts_with(kReservedPrefix)) return NameKind::kIgnored;
  const std::string_view target = base.substr(kWhiteoutPrefix.size());
  if (target.empty() || target == "." || target == "..") return Error{"it is a deletion mark without a name"};
  return NameKind::kWhiteout;
}

std::string whiteout_target(std::string_view path) {
  const std::string_view folder = folder_of(path);
  std::string target(folder);
  if (!folder.empty()) target += '/';
  return target += base_of(path).substr(kWhiteoutPrefix.size());
}

}  // namespace mooring
