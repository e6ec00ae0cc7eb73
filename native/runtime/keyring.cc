#include "keyring.h"

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mooring {
namespace {

// Its possessors may do everything; others of the same user may find it by name, which is how exec gets in.
constexpr unsigned long permissions = 0x3f000000 | 0x00080000;  // KEY_POS_ALL | KEY_USR_SEARCH, keyctl_setperm(3)

}  // namespace

Status join_session_keyring(const std::string& container_id) {
  const std::string name = "_ses." + container_id;
  const long ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, container_id.empty() ? nullptr : name.c_str());
  if (ring < 0) return errno == ENOSYS ? ok() : Status(sys_error("join the session keyring " + name));
  if (container_id.empty() || syscall(SYS_keyctl, KEYCTL_SETPERM, ring, permissions) == 0) return ok();
  return sys_error("set the permissions of the session keyring " + name);
}

}  // namespace mooring
