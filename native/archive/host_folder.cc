#include "archive/host_folder.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "runtime/mount_api.h"
#include "runtime/unique_fd.h"

namespace mooring {

namespace {
/// Every host has it, and nothing here needs it. Only this process sees what is mounted there.
constexpr const char* kBench = "/sys";
constexpr uint64_t kHarmless = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
}  // namespace

Status enter_host_folder(const std::string& path, const std::string& identity, Access access) {
  MOORING_TRY(leave_host());
  const UniqueFd folder(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat status;
  if (!folder || ::fstat(folder.get(), &status) != 0) return Error{"there is no folder " + path + " here", ESTALE};
  if (std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) != identity) return Error{path + " is another folder here", ESTALE};
  const auto mount = clone_mount(folder.get(), "", true);
  if (!mount) return mount.error();
  MOORING_TRY(change_mount(mount->get(), {.set = kHarmless | (access == Access::kRead ? MOUNT_ATTR_RDONLY : 0), .recursive = true}, path));
  const UniqueFd bench(::open(kBench, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!bench) return sys_error("open " + std::string(kBench));
  MOORING_TRY(attach_mount(mount->get(), bench.get(), kBench));
  return confine(mount->get(), access, UINT64_MAX);
}

}  // namespace mooring
