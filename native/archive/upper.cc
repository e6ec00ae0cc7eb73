#include "archive/upper.h"

#include "archive/entry_path.h"
#include "archive/mount_points.h"
#include "runtime/overlay.h"

namespace mooring {

namespace {
constexpr size_t kMaxDepth = 2048;
}

Result<Upper> enter_upper(const Arguments& arguments, Access access) {
  Upper upper;
  const std::string& folder = arguments.words()[0];
  std::vector<std::string> mount_points;
  for (const std::string& path : arguments.all("omit")) {
    auto relative = layer_path(path, kMaxDepth);
    if (!relative) return Error{"\"" + path + "\": " + relative.error().message, EINVAL};
    mount_points.push_back(std::move(*relative));
  }
  if (const auto latest = arguments.last("latest")) {
    const auto seconds = number(*latest);
    if (!seconds) return Error{"\"" + *latest + "\" is no number of seconds", EINVAL};
    upper.latest = static_cast<int64_t>(*seconds);
  }
  MOORING_TRY(leave_host());
  auto root = mount_alone(folder, access);
  if (!root) return root.error();
  upper.folder = std::move(*root);
  if (!arguments.all("below").empty()) {
    // Seen through its descriptor alone; the place goes with the old root.
    auto below = mount_overlay({.lower = arguments.all("below"), .upper = {}, .work = {}}, "/sys", "the layers below " + folder);
    if (!below) return below.error();
    upper.below = std::move(*below);
  }
  MOORING_TRY(confine(upper.folder.get(), access, UINT64_MAX));
  auto omitted = empty_mount_points(upper.folder.get(), upper.below.get(), mount_points);
  if (!omitted) return omitted.error();
  upper.omitted = std::move(*omitted);
  return upper;
}

}  // namespace mooring
