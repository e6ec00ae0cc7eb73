#include "archive/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <span>
#include <string>

#include "runtime/mount_api.h"
#include "runtime/rootfs.h"

namespace mooring {

namespace {

// SYS_ADMIN is what trusted.* attributes ask for; every other use of it needs a system call that the filter refuses.
constexpr int kReaders[] = {CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN};
constexpr int kWriters[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_MKNOD, CAP_SETFCAP, CAP_SYS_ADMIN};

constexpr rlim_t kMemoryBytes = 512ull << 20;
/// A walk holds two for each folder that it is in.
constexpr rlim_t kDescriptors = 4200;

constexpr int kCommonCalls[] = {
    SCMP_SYS(read),       SCMP_SYS(write),        SCMP_SYS(pread64),    SCMP_SYS(close),      SCMP_SYS(open),    SCMP_SYS(openat),         SCMP_SYS(openat2),
    SCMP_SYS(fstat),      SCMP_SYS(lstat),        SCMP_SYS(stat),       SCMP_SYS(newfstatat), SCMP_SYS(lseek),   SCMP_SYS(readlink),       SCMP_SYS(readlinkat),
    SCMP_SYS(lgetxattr),  SCMP_SYS(llistxattr),   SCMP_SYS(getdents64), SCMP_SYS(chdir),    SCMP_SYS(fchdir),     SCMP_SYS(fcntl),   SCMP_SYS(brk),            SCMP_SYS(mmap),
    SCMP_SYS(munmap),     SCMP_SYS(mremap),       SCMP_SYS(mprotect),   SCMP_SYS(madvise),    SCMP_SYS(futex),   SCMP_SYS(exit), SCMP_SYS(exit_group),     SCMP_SYS(rt_sigreturn),
    SCMP_SYS(getpid),     SCMP_SYS(gettid),       SCMP_SYS(tgkill),     SCMP_SYS(rt_sigprocmask), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom),
    SCMP_SYS(ioctl),
};

constexpr int kWritingCalls[] = {
    SCMP_SYS(pwrite64), SCMP_SYS(mkdir),  SCMP_SYS(mkdirat), SCMP_SYS(mknod),    SCMP_SYS(mknodat), SCMP_SYS(symlink),   SCMP_SYS(symlinkat), SCMP_SYS(link),
    SCMP_SYS(linkat),   SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rmdir),   SCMP_SYS(lchown),  SCMP_SYS(fchown),    SCMP_SYS(fchownat),  SCMP_SYS(chmod),
    SCMP_SYS(fchmod),   SCMP_SYS(fchmodat), SCMP_SYS(utimensat), SCMP_SYS(lsetxattr), SCMP_SYS(lremovexattr), SCMP_SYS(ftruncate),
};

/// At most `value`, and what is less already stays: only CAP_SYS_RESOURCE raises a limit.
Status limit(__rlimit_resource what, rlim_t value, const char* name) {
  rlimit bound;
  if (::getrlimit(what, &bound) != 0) return sys_error("getrlimit " + std::string(name));
  bound.rlim_cur = bound.rlim_max = std::min(value, bound.rlim_max);
  if (::setrlimit(what, &bound) != 0) return sys_error("setrlimit " + std::string(name));
  return ok();
}

Status keep_capabilities(std::span<const int> wanted) {
  uint64_t kept = 0;
  for (const int capability : wanted) kept |= uint64_t{1} << capability;
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if ((kept >> capability & 1) == 0 && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return sys_error("drop capability " + std::to_string(capability));
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  for (int half = 0; half < 2; ++half) sets[half].effective = sets[half].permitted = static_cast<uint32_t>(kept >> (32 * half));
  if (::syscall(SYS_capset, &header, sets) != 0) return sys_error("capset");
  return ok();
}

Status filter_system_calls(Access access) {
  const scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_KILL_PROCESS);
  if (filter == nullptr) return Error{"seccomp_init failed"};
  int failure = ::seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
  const auto allow = [&](std::span<const int> calls) {
    for (const int call : calls) {
      if (failure == 0 && call >= 0) failure = ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
    }
  };
  allow(kCommonCalls);
  if (access == Access::kWrite) allow(kWritingCalls);
  if (failure == 0) failure = ::seccomp_load(filter);
  ::seccomp_release(filter);
  if (failure != 0) {
    errno = -failure;
    return sys_error("load the seccomp filter");
  }
  return ok();
}

}  // namespace

Status leave_host() {
  if (::unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0) return sys_error("unshare the mount and network namespaces");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return sys_error("make every mount private");
  return ok();
}

Result<UniqueFd> mount_alone(const std::string& folder, Access access) {
  const UniqueFd place(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place) return sys_error("open " + folder);
  auto mount = clone_mount(place.get(), "", false);
  if (!mount) return mount;
  const uint64_t flags = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | (access == Access::kRead ? MOUNT_ATTR_RDONLY : 0);
  MOORING_TRY(change_mount(mount->get(), {.set = flags}, folder));
  MOORING_TRY(attach_mount(mount->get(), place.get(), folder));
  return mount;
}

Status confine(int root, Access access, uint64_t max_file_bytes, const std::function<Status()>& begin) {
  MOORING_TRY(enter_rootfs(root));
  ::umask(0);
  ::signal(SIGXFSZ, SIG_IGN);
  if (access == Access::kWrite) MOORING_TRY(limit(RLIMIT_FSIZE, max_file_bytes, "RLIMIT_FSIZE"));
  MOORING_TRY(limit(RLIMIT_AS, kMemoryBytes, "RLIMIT_AS"));
  MOORING_TRY(limit(RLIMIT_NOFILE, kDescriptors, "RLIMIT_NOFILE"));
  MOORING_TRY(limit(RLIMIT_CORE, 0, "RLIMIT_CORE"));
  MOORING_TRY(keep_capabilities(access == Access::kRead ? std::span<const int>(kReaders) : std::span<const int>(kWriters)));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return sys_error("set no_new_privs");
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return sys_error("die with the parent");
  // A heap of its own for each thread would take most of the memory that there may be.
  ::mallopt(M_ARENA_MAX, 1);
  MOORING_TRY(begin());
  return filter_system_calls(access);
}

}  // namespace mooring
