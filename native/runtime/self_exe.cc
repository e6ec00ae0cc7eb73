#include "self_exe.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mount_api.h"
#include "unique_fd.h"

namespace mooring {
namespace {

constexpr const char* own_file = "/proc/self/exe";

}  // namespace

Result<bool> runs_read_only() {
  const UniqueFd file(open(own_file, O_PATH | O_CLOEXEC));
  if (!file) return sys_error(std::string("open ") + own_file);
  struct statvfs status;
  if (fstatvfs(file.get(), &status) != 0) return sys_error(std::string("statvfs ") + own_file);
  return (status.f_flag & ST_RDONLY) != 0;
}

Status rerun_read_only(char* const argv[]) {
  auto already = runs_read_only();
  if (!already) return std::move(already.error());
  if (*already) return ok();
  auto mount = clone_mount(AT_FDCWD, own_file, false);
  if (!mount) return std::move(mount.error());
  MOORING_TRY(change_mount(mount->get(), {.set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE}, own_file));
  syscall(SYS_execveat, mount->get(), "", argv, environ, AT_EMPTY_PATH);
  return sys_error("run this program again from a read-only mount");
}

}  // namespace mooring
