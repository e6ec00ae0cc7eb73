#include "archive/place.h"

#include <fcntl.h>

#include <string_view>

#include "archive/paths_in_root.h"

namespace mooring {

namespace {
constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
}  // namespace

Error at(const std::string& path, const std::string& what) {
  const bool nothing = errno == ENOENT;
  Error error = archive_fault(what);
  error.message = path + ": " + error.message;
  if (nothing) error.code = ENOENT;
  return error;
}

Result<Place> find(const std::string& path) {
  std::string_view rest = path;
  // "x/" and "x/." mean what x leads to.
  while (rest.ends_with('/') || rest.ends_with("/.")) rest.remove_suffix(1);
  const bool inside = rest.size() != path.size();
  const size_t slash = rest.rfind('/');
  const std::string folder(inside ? path : "/" + std::string(rest.substr(0, slash == std::string_view::npos ? 0 : slash)));
  Place place{UniqueFd(::open(folder.c_str(), kFolder)), std::string(inside ? "." : rest.substr(slash == std::string_view::npos ? 0 : slash + 1)), {}};
  if (!place.folder || ::fstatat(place.folder.get(), place.name.c_str(), &place.status, AT_SYMLINK_NOFOLLOW) != 0) return at(path, "look for it");
  return place;
}

}  // namespace mooring
