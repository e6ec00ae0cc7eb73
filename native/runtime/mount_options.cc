#include "mount_options.h"

#include <sys/mount.h>

#include <cstdint>
#include <string_view>

namespace mooring {
namespace {

// glibc 2.36 lacks it; linux/mount.h can't be included beside sys/mount.h there.
constexpr uint64_t attr_nosymfollow = 0x00200000;

struct Flag {
  std::string_view name;
  uint64_t set;
  uint64_t clear;
};

// The access-time modes are one field, so setting one clears the field first (mount_setattr(2)).
constexpr Flag flags[] = {
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"norelatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", attr_nosymfollow, 0},
    {"symfollow", 0, attr_nosymfollow},
};

const Flag* find_flag(std::string_view name) {
  for (const Flag& flag : flags)
    if (flag.name == name) return &flag;
  return nullptr;
}

void merge(uint64_t& set, uint64_t& clear, const Flag& flag) {
  set = (set & ~(flag.clear)) | flag.set;
  // A later option wins over an earlier one; but the access-time field must stay cleared whenever it is set.
  clear = (clear & ~(flag.set & ~uint64_t{MOUNT_ATTR__ATIME})) | flag.clear;
}

}  // namespace

unsigned long propagation_flag(const std::string& word) {
  const std::string_view name = word;
  const bool recursive = name.starts_with('r');
  const unsigned long extra = recursive ? MS_REC : 0;
  const std::string_view kind = recursive ? name.substr(1) : name;
  if (kind == "private") return MS_PRIVATE | extra;
  if (kind == "slave") return MS_SLAVE | extra;
  if (kind == "shared") return MS_SHARED | extra;
  if (kind == "unbindable") return MS_UNBINDABLE | extra;
  return 0;
}

void apply_mount_option(const std::string& option, Mount& mount) {
  if (option == "defaults" || option == "silent" || option == "loud") return;  // the last two are about the kernel's log
  if (option == "bind" || option == "rbind") {
    mount.bind = true;
    mount.recursive_bind = option == "rbind";
    return;
  }
  if (const unsigned long propagation = propagation_flag(option)) {
    mount.propagation = propagation & ~static_cast<unsigned long>(MS_REC);
    mount.recursive_propagation = propagation & MS_REC;
    return;
  }
  if (const Flag* flag = find_flag(option)) {
    merge(mount.set, mount.clear, *flag);
    return;
  }
  constexpr std::string_view sub_path = "x-mooring.subpath=";
  if (option.starts_with(sub_path)) {
    mount.sub_path = option.substr(sub_path.size());
    return;
  }
  if (option.starts_with('r')) {
    if (const Flag* flag = find_flag(std::string_view(option).substr(1))) {
      merge(mount.recursive_set, mount.recursive_clear, *flag);
      return;
    }
  }
  if (option == "idmap" || option == "ridmap") {
    mount.ids = option == "ridmap" ? MountIds::mapped_recursively : MountIds::mapped;
    return;
  }
  if (option == "tmpcopyup" || option == "remount") {
    (option == "remount" ? mount.remount : mount.copy_up) = true;
    return;
  }
  mount.data.push_back(option);
}

}  // namespace mooring
