#include "overlay.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <vector>

#include "mount_api.h"
#include "open_in_root.h"

namespace mooring {
namespace {

// fsconfig(2) takes strings of at most 255 bytes; a longer path, and one with a character that `lowerdir=` gives a meaning, goes by its descriptor.
class LayerPaths {
 public:
  Result<std::string> name(const std::string& path, bool plain_only) {
    if (path.size() < 256 && (!plain_only || path.find_first_of(":,\\") == std::string::npos)) return path;
    UniqueFd folder(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return sys_error("open overlay folder " + path);
    const std::string name = fd_path(folder.get());
    held_.push_back(std::move(folder));
    return name;
  }

 private:
  std::vector<UniqueFd> held_;
};

Status check_folder(const std::string& path, const char* role) {
  const UniqueFd folder(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return folder ? ok() : Status(sys_error(std::string("overlay ") + role + " " + path));
}

// Kernels before 6.7 know no "lowerdir+", and before 6.5 no fsconfig of their own: one string, through mount(2), of at most a page.
Result<UniqueFd> mount_overlay_old(const Overlay& overlay, const std::string& target) {
  LayerPaths paths;
  std::string data = "lowerdir=";
  for (std::size_t i = 0; i < overlay.lower.size(); ++i) {
    auto name = paths.name(overlay.lower[i], true);
    if (!name) return std::move(name.error());
    data += (i ? ":" : "") + *name;
  }
  if (!overlay.upper.empty()) {
    auto upper = paths.name(overlay.upper, true);
    if (!upper) return std::move(upper.error());
    auto work = paths.name(overlay.work, true);
    if (!work) return std::move(work.error());
    data += ",upperdir=" + *upper + ",workdir=" + *work + ",redirect_dir=off,metacopy=off" + (overlay.without_sync ? ",volatile" : "");
  }
  if (mount("overlay", target.c_str(), "overlay", 0, data.c_str()) != 0) return sys_error("mount overlay on " + target + " (" + data + ")");
  UniqueFd rootfs(open(target.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!rootfs) return sys_error("open " + target);
  return rootfs;
}

Result<UniqueFd> new_overlay(const Overlay& overlay) {
  LayerPaths paths;
  std::vector<FsOption> options;
  const auto add = [&](const char* key, const std::string& path) -> Status {
    auto name = paths.name(path, false);
    if (!name) return std::move(name.error());
    options.push_back({key, std::move(*name)});
    return ok();
  };
  for (const std::string& layer : overlay.lower) MOORING_TRY(add("lowerdir+", layer));
  if (!overlay.upper.empty()) {
    MOORING_TRY(add("upperdir", overlay.upper));
    MOORING_TRY(add("workdir", overlay.work));
    options.push_back({"redirect_dir", "off"});
    options.push_back({"metacopy", "off"});
    if (overlay.without_sync) options.push_back(fs_option("volatile"));
  }
  return new_mount("overlay", "overlay", options, 0);
}

// Where an overlay was refused the kernel names neither the folder nor the reason.
Status check_folders(const Overlay& overlay) {
  for (const std::string& layer : overlay.lower) MOORING_TRY(check_folder(layer, "layer"));
  if (overlay.upper.empty()) return ok();
  MOORING_TRY(check_folder(overlay.upper, "upper folder"));
  return check_folder(overlay.work, "work folder");
}

}  // namespace

Result<UniqueFd> mount_overlay(const Overlay& overlay, const std::string& target, const std::string& label) {
  const bool single = overlay.upper.empty() && overlay.lower.size() == 1;  // which overlayfs has no form for
  auto mount = single ? clone_mount(AT_FDCWD, overlay.lower[0], false) : new_overlay(overlay);
  if (!mount && mount.error().code == EINVAL) {
    auto rootfs = mount_overlay_old(overlay, target);
    if (!rootfs) MOORING_TRY(check_folders(overlay));
    return rootfs;
  }
  if (!mount) {
    MOORING_TRY(check_folders(overlay));
    return mount;
  }
  const UniqueFd place(open(target.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place) return sys_error("open " + label);
  MOORING_TRY(attach_mount(mount->get(), place.get(), label));
  return mount;
}

}  // namespace mooring
