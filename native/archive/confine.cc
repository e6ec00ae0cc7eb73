#include "archive/confine.h"

#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace mooring {

namespace {

// SYS_ADMIN is what trusted.* attributes ask for; every other use of it needs a system call that the filter refuses.
constexpr int kKept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_MKNOD, CAP_SETFCAP, CAP_SYS_ADMIN};

constexpr rlim_t kMemoryBytes = 512ull << 20;
constexpr rlim_t kDescriptors = 64;

constexpr int kSystemCalls[] = {
    SCMP_SYS(read),         SCMP_SYS(write),     SCMP_SYS(pwrite64),  SCMP_SYS(close),      SCMP_SYS(open),       SCMP_SYS(openat),         SCMP_SYS(fstat),
    SCMP_SYS(lstat),        SCMP_SYS(stat),      SCMP_SYS(newfstatat), SCMP_SYS(lseek),     SCMP_SYS(mkdir),      SCMP_SYS(mkdirat),        SCMP_SYS(mknod),
    SCMP_SYS(mknodat),      SCMP_SYS(symlink),   SCMP_SYS(symlinkat), SCMP_SYS(link),       SCMP_SYS(linkat),     SCMP_SYS(unlink),         SCMP_SYS(unlinkat),
    SCMP_SYS(rmdir),        SCMP_SYS(lchown),    SCMP_SYS(fchown),    SCMP_SYS(fchownat),   SCMP_SYS(chmod),      SCMP_SYS(fchmod),         SCMP_SYS(fchmodat),
    SCMP_SYS(utimensat),    SCMP_SYS(lsetxattr), SCMP_SYS(getdents64), SCMP_SYS(ftruncate), SCMP_SYS(syncfs),     SCMP_SYS(fcntl),          SCMP_SYS(brk),
    SCMP_SYS(mmap),         SCMP_SYS(munmap),    SCMP_SYS(mremap),    SCMP_SYS(mprotect),   SCMP_SYS(madvise),    SCMP_SYS(futex),          SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(getpid),    SCMP_SYS(gettid),    SCMP_SYS(tgkill),     SCMP_SYS(rt_sigprocmask), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(getrandom),    SCMP_SYS(ioctl),
};

Status enter_root(const char* folder) {
  if (::unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0) return sys_error("unshare the mount and network namespaces");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return sys_error("make every mount private");
  if (::mount(folder, folder, nullptr, MS_BIND, nullptr) != 0) return sys_error("bind " + std::string(folder));
  if (::chdir(folder) != 0) return sys_error("chdir " + std::string(folder));
  // The old root is stacked over the new one, and taken away from there: pivot_root(2), "pivot_root(".", ".")".
  if (::syscall(SYS_pivot_root, ".", ".") != 0) return sys_error("pivot_root to " + std::string(folder));
  if (::umount2(".", MNT_DETACH) != 0) return sys_error("unmount the old root");
  if (::chdir("/") != 0) return sys_error("chdir /");
  return ok();
}

Status limit(__rlimit_resource what, rlim_t value, const char* name) {
  const rlimit bound{value, value};
  if (::setrlimit(what, &bound) != 0) return sys_error("setrlimit " + std::string(name));
  return ok();
}

Status keep_capabilities() {
  uint64_t kept = 0;
  for (const int capability : kKept) kept |= uint64_t{1} << capability;
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if ((kept >> capability & 1) == 0 && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return sys_error("drop capability " + std::to_string(capability));
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  for (int half = 0; half < 2; ++half) sets[half].effective = sets[half].permitted = static_cast<uint32_t>(kept >> (32 * half));
  if (::syscall(SYS_capset, &header, sets) != 0) return sys_error("capset");
  return ok();
}

Status filter_system_calls() {
  const scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_KILL_PROCESS);
  if (filter == nullptr) return Error{"seccomp_init failed"};
  int failure = 0;
  for (const int call : kSystemCalls) {
    if (failure == 0 && call >= 0) failure = ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  }
  if (failure == 0) failure = ::seccomp_load(filter);
  ::seccomp_release(filter);
  if (failure != 0) {
    errno = -failure;
    return sys_error("load the seccomp filter");
  }
  return ok();
}

}  // namespace

Status confine(const char* folder, uint64_t max_file_bytes) {
  MOORING_TRY(enter_root(folder));
  ::umask(0);
  ::signal(SIGXFSZ, SIG_IGN);
  MOORING_TRY(limit(RLIMIT_FSIZE, max_file_bytes, "RLIMIT_FSIZE"));
  MOORING_TRY(limit(RLIMIT_AS, kMemoryBytes, "RLIMIT_AS"));
  MOORING_TRY(limit(RLIMIT_NOFILE, kDescriptors, "RLIMIT_NOFILE"));
  MOORING_TRY(limit(RLIMIT_CORE, 0, "RLIMIT_CORE"));
  MOORING_TRY(keep_capabilities());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return sys_error("set no_new_privs");
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return sys_error("die with the parent");
  return filter_system_calls();
}

}  // namespace mooring
