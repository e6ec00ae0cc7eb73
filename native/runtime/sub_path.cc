#include "sub_path.h"

#include <fcntl.h>

#include "mount_api.h"
#include "open_in_root.h"

namespace mooring {

Result<UniqueFd> clone_mount_below(const std::string& source, const std::string& path, bool recursive) {
  const UniqueFd folder(open(source.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return sys_error("open " + source);
  auto place = open_in_root(folder.get(), path, O_PATH);
  if (!place && place.error().code == ENOENT) place = make_in_root(folder.get(), path, Kind::folder);
  if (!place) return place;
  // By its descriptor: whatever is at the path by now, this is what was found.
  return clone_mount(place->get(), "", recursive);
}

}  // namespace mooring
