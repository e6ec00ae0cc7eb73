import type { Seccomp, SyscallRule } from './runtime-spec.ts';

// What Docker's default policy (moby/profiles, seccomp/default.json) permits, arranged by purpose. A name that this kernel or
// architecture lacks is skipped by the runtime. io_uring is left out on purpose, as there.
const ALLOWED: Readonly<Record<string, string>> = {
  files: `access cachestat chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
    fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync flock fstat fstat64 fstatat64
    fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 ioctl lchown lchown32 link linkat listmount _llseek
    lseek lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2
    pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile sendfile64 splice stat stat64
    statfs statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat
    utimensat_time64 utimes vmsplice write writev`,
  attributes: `fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr lremovexattr lsetxattr
    removexattr removexattrat setxattr setxattrat`,
  waiting: `epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 fanotify_mark
    inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup
    io_submit _newselect poll ppoll ppoll_time64 pselect6 pselect6_time64 select signalfd signalfd4`,
  memory: `brk madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2
    mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages`,
  processes: `capget capset execve execveat exit exit_group fork get_robust_list get_thread_area getcpu getegid getegid32 geteuid geteuid32
    getgid getgid32 getgroups getgroups32 getpgid getpgrp getpid getppid getpriority getresgid getresgid32 getresuid getresuid32 getrlimit
    getrusage getsid gettid getuid getuid32 ioprio_get ioprio_set landlock_add_rule landlock_create_ruleset landlock_restrict_self pidfd_open
    prctl prlimit64 process_vm_readv process_vm_writev ptrace riscv_hwprobe rseq sched_get_priority_max sched_get_priority_min
    sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity
    sched_setattr sched_setparam sched_setscheduler sched_yield seccomp set_robust_list set_thread_area set_tid_address setfsgid setfsgid32
    setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid
    setresuid32 setreuid setreuid32 setrlimit setsid setuid setuid32 sysinfo times ugetrlimit uname uretprobe vfork wait4 waitid waitpid`,
  signals: `kill pause pidfd_send_signal restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn tgkill tkill`,
  time: `adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
    clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun timer_gettime
    timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64`,
  synchronisation: `futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake getrandom ipc mq_getsetattr mq_notify mq_open
    mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop
    semtimedop_time64 shmat shmctl shmdt shmget`,
  sockets: `accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg send sendmmsg
    sendmsg sendto setsockopt shutdown socketcall socketpair`,
};

/** What a capability, once granted, makes useful: without these calls it would be granted in vain. */
const ALLOWED_WITH: Readonly<Record<string, string>> = {
  CAP_BPF: 'bpf',
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_PERFMON: 'perf_event_open',
  CAP_SYS_ADMIN: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
    lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount
    umount2 unshare`,
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module finit_module init_module',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise',
  CAP_SYS_RAWIO: 'ioperm iopl',
  CAP_SYS_TIME: 'clock_settime clock_settime64 settimeofday stime',
  CAP_SYS_TTY_CONFIG: 'vhangup',
  CAP_SYSLOG: 'syslog',
};

interface Machine {
  readonly architectures: readonly string[];
  readonly syscalls: string;
}

const MACHINES: Readonly<Record<string, Machine>> = {
  x64: { architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'], syscalls: 'arch_prctl modify_ldt' },
  arm64: {
    architectures: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
    syscalls: 'arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2',
  },
};

const EPERM = 1;
const ENOSYS = 38;
const AF_ALG = 38;
const AF_VSOCK = 40;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET (clone(2)). */
const NAMESPACE_FLAGS = 0x7e020000;
/** Linux, 32-bit Linux, either with UNAME26, and "tell me" (personality(2)). */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/**
 * The default policy for a container that holds these capabilities: what isn't named fails with EPERM. As the profile depends on
 * nothing else, it is made once for each set of capabilities that matters to it.
 */
export function seccompProfile(capabilities: ReadonlySet<string>, arch: string = process.arch): Seccomp {
  const granting = Object.keys(ALLOWED_WITH).filter((capability) => capabilities.has(capability));
  const key = [arch, ...granting].join();
  const made = profiles.get(key);
  if (made) return made;
  const profile = build(granting, arch);
  profiles.set(key, profile);
  return profile;
}

const profiles = new Map<string, Seccomp>();

function build(granting: readonly string[], arch: string): Seccomp {
  const machine = MACHINES[arch];
  const lists = [...Object.values(ALLOWED), machine?.syscalls ?? '', ...granting.map((capability) => ALLOWED_WITH[capability] ?? '')];
  const names = [...new Set(lists.flatMap((list) => list.split(/\s+/).filter(Boolean)))].sort();
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    ...(machine ? { architectures: machine.architectures } : {}),
    syscalls: [
      { names, action: 'SCMP_ACT_ALLOW' },
      // Several rules for one call are alternatives. The address families below, between and above the two refused.
      allowWhen('socket', AF_ALG, 'SCMP_CMP_LT'),
      allowWhen('socket', (AF_ALG + AF_VSOCK) / 2, 'SCMP_CMP_EQ'),
      allowWhen('socket', AF_VSOCK, 'SCMP_CMP_GT'),
      ...PERSONALITIES.map((personality) => allowWhen('personality', personality, 'SCMP_CMP_EQ')),
      ...(granting.includes('CAP_SYS_ADMIN') ? [] : CLONE_WITHOUT_NAMESPACES),
    ],
  };
}

function allowWhen(name: string, value: number, op: 'SCMP_CMP_LT' | 'SCMP_CMP_EQ' | 'SCMP_CMP_GT'): SyscallRule {
  return { names: [name], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value, op }] };
}

const CLONE_WITHOUT_NAMESPACES: readonly SyscallRule[] = [
  { names: ['clone'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }] },
  // clone3 takes its flags in memory, where a filter can't look. ENOSYS makes libraries fall back to clone.
  { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
];
