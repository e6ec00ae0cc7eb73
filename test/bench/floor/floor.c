// The floor: what a Docker-like container start costs when a plain C program does the kernel's part and nothing else.
// Six namespaces, nine v1 hierarchies with limits (or one v2), overlay, API mounts, masks, capabilities, a seccomp filter, busybox `true`.
//
//   floor LAYER WORKDIR CGROUP
//
// prints the milliseconds from the first mkdir to the execve, then cleans up. No error handling beyond dying: it is a yardstick, not a runtime.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MUST(call) do { if ((call) < 0) { fprintf(stderr, "floor: %s: %s\n", #call, strerror(errno)); _exit(1); } } while (0)

static const char *const hierarchies[] = {"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd"};
enum { hierarchy_count = sizeof hierarchies / sizeof *hierarchies };
static const char *cgroup;
static int unified;

static void put(const char *folder, const char *file, const char *text) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, file);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) { fprintf(stderr, "floor: %s: %s\n", path, strerror(errno)); _exit(1); }
  close(fd);
}

static void folder_of(char *path, size_t size, int i) {
  if (unified) snprintf(path, size, "/sys/fs/cgroup/%s", cgroup);
  else snprintf(path, size, "/sys/fs/cgroup/%s/%s", hierarchies[i], cgroup);
}

static void make_cgroups(void) {
  char path[512];
  for (int i = 0; i < (unified ? 1 : hierarchy_count); i++) {
    folder_of(path, sizeof path, i);
    MUST(mkdir(path, 0755));
    if (unified) { put(path, "memory.max", "67108864"); put(path, "cpu.max", "50000 100000"); put(path, "pids.max", "100"); continue; }
    if (!strcmp(hierarchies[i], "cpu")) put(path, "cpu.cfs_quota_us", "50000");
    if (!strcmp(hierarchies[i], "memory")) put(path, "memory.limit_in_bytes", "67108864");
    if (!strcmp(hierarchies[i], "pids")) put(path, "pids.max", "100");
    if (!strcmp(hierarchies[i], "cpuset")) { put(path, "cpuset.cpus", "0"); put(path, "cpuset.mems", "0"); }
    if (!strcmp(hierarchies[i], "devices")) {
      put(path, "devices.deny", "a");
      static const char *const allowed[] = {"c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm", "c 5:2 rwm", "c 136:* rwm"};
      for (unsigned k = 0; k < sizeof allowed / sizeof *allowed; k++) put(path, "devices.allow", allowed[k]);
    }
  }
}

static void enter_cgroups(void) {
  char path[512];
  for (int i = 0; i < (unified ? 1 : hierarchy_count); i++) {
    folder_of(path, sizeof path, i);
    put(path, "cgroup.procs", "0");
  }
}

static void load_seccomp(void) {
  static struct sock_filter filter[700];
  int n = 0;
  filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (int call = 0; call < 341; call++) {  // a comparison and a return each, as a naive list has them
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  }
  filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  struct sock_fprog program = {(unsigned short)n, filter};
  MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  MUST((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

static void drop_capabilities(void) {
  const unsigned long long kept = 0xa80425fb;  // Docker's fourteen
  for (int cap = 0; cap <= 40; cap++) if (!(kept >> cap & 1)) MUST(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0));
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{(unsigned)kept, (unsigned)kept, 0}, {0, 0, 0}};
  MUST((int)syscall(SYS_capset, &header, data));
}

static void fill_rootfs(const char *layer, const char *work) {
  char options[1024], merged[512];
  snprintf(merged, sizeof merged, "%s/merged", work);
  snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", layer, work, work);
  MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
  MUST(mount("overlay", merged, "overlay", 0, options));
  MUST(chdir(merged));
  mkdir("proc", 0755), mkdir("sys", 0755), mkdir("dev", 0755);
  MUST(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
  MUST(mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL));
  MUST(mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755,size=64k"));
  MUST(mkdir("dev/pts", 0755));
  MUST(mkdir("dev/shm", 0755));
  MUST(mkdir("dev/mqueue", 0755));
  MUST(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"));
  MUST(mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m"));
  MUST(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
  static const struct { const char *path; int minor; } nodes[] = {{"dev/null", 3}, {"dev/zero", 5}, {"dev/full", 7}, {"dev/random", 8}, {"dev/urandom", 9}};
  for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) MUST(mknod(nodes[i].path, S_IFCHR | 0666, makedev(1, nodes[i].minor)));
  MUST((int)syscall(SYS_pivot_root, ".", "."));
  MUST(umount2(".", MNT_DETACH));
  MUST(chdir("/"));
  static const char *const masked[] = {"/proc/kcore", "/proc/keys", "/proc/timer_list"};
  for (unsigned i = 0; i < sizeof masked / sizeof *masked; i++) if (mount("/dev/null", masked[i], NULL, MS_BIND, NULL) < 0 && errno != ENOENT) _exit(1);
  static const char *const read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  for (unsigned i = 0; i < sizeof read_only / sizeof *read_only; i++) {
    if (mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) < 0) { if (errno == ENOENT) continue; _exit(1); }
    MUST(mount(NULL, read_only[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
  }
}

int main(int argc, char **argv) {
  if (argc != 4) { fprintf(stderr, "usage: floor LAYER WORKDIR CGROUP\n"); return 2; }
  cgroup = argv[3];
  unified = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
  char path[512];
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  static const char *const folders[] = {"", "/upper", "/work", "/merged"};
  for (int i = 0; i < 4; i++) { snprintf(path, sizeof path, "%s%s", argv[2], folders[i]); MUST(mkdir(path, 0755)); }
  make_cgroups();
  int done[2];
  MUST(pipe2(done, O_CLOEXEC));
  struct clone_args args = {.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP, .exit_signal = SIGCHLD};
  pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
  MUST(child);
  if (child == 0) {
    enter_cgroups();
    fill_rootfs(argv[1], argv[2]);
    MUST(sethostname("floor", 5));
    drop_capabilities();
    load_seccomp();
    char *const arguments[] = {"true", NULL}, *const environment[] = {"PATH=/bin", NULL};
    execve("/bin/true", arguments, environment);
    _exit(127);
  }
  close(done[1]);
  char byte;
  (void)!read(done[0], &byte, 1);  // end of file: the child's copy closed by execve
  clock_gettime(CLOCK_MONOTONIC, &end);
  int status;
  MUST(waitpid(child, &status, 0));
  for (int i = 0; i < (unified ? 1 : hierarchy_count); i++) { folder_of(path, sizeof path, i); MUST(rmdir(path)); }
  if (status != 0) { fprintf(stderr, "floor: the container ended with status %d\n", status); return 1; }
  printf("%.3f\n", (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6);
  return 0;
}
