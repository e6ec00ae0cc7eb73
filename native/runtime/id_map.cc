#include "id_map.h"

#include <fcntl.h>

#include <sstream>

#include "files.h"

namespace mooring {
namespace {

Result<IdMap> read_map(const std::string& path) {
  auto text = read_file(AT_FDCWD, path);
  if (!text) return std::move(text.error());
  IdMap map;
  std::istringstream numbers(*text);
  for (IdRange range; numbers >> range.inside >> range.outside >> range.size;) map.ranges.push_back(range);
  return map;
}

}  // namespace

std::optional<uint32_t> IdMap::outside(uint32_t inside) const {
  for (const IdRange& range : ranges)
    if (inside >= range.inside && inside - range.inside < range.size) return range.outside + (inside - range.inside);
  return {};
}

std::string IdMap::text() const {
  std::string text;
  for (const IdRange& range : ranges) text += std::to_string(range.inside) + " " + std::to_string(range.outside) + " " + std::to_string(range.size) + "\n";
  return text;
}

Result<IdMaps> read_id_maps(int pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  auto uids = read_map(folder + "/uid_map");
  if (!uids) return std::move(uids.error());
  auto gids = read_map(folder + "/gid_map");
  if (!gids) return std::move(gids.error());
  return IdMaps{std::move(*uids), std::move(*gids)};
}

}  // namespace mooring
