#include "procfs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace mooring {
namespace {

Status require_procfs(int fd, const std::string& label) {
  struct statfs status;
  if (fstatfs(fd, &status) != 0) return sys_error("statfs " + label);
  return status.f_type == PROC_SUPER_MAGIC ? ok() : Status(Error{label + " is not on procfs", EPERM});
}

// The namespace that keeps a sysctl apart, 0 where none does.
int namespace_of(const std::string& name) {
  constexpr const char* ipc[] = {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"};
  if (name.starts_with("net.")) return CLONE_NEWNET;
  if (name.starts_with("fs.mqueue.") || std::find(std::begin(ipc), std::end(ipc), name) != std::end(ipc)) return CLONE_NEWIPC;
  if (name == "kernel.hostname" || name == "kernel.domainname") return CLONE_NEWUTS;
  if (name.starts_with("user.")) return CLONE_NEWUSER;
  return 0;
}

std::string field(const std::string& name) { return "linux.sysctl[\"" + name + "\"]"; }

// As sysctl(8): "." and "/" stand for each other, so that an interface's name may hold a dot.
std::string file_of(std::string name) {
  for (char& letter : name) letter = letter == '.' ? '/' : letter == '/' ? '.' : letter;
  return name;
}

}  // namespace

Result<UniqueFd> open_procfs() {
  UniqueFd procfs(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!procfs) return sys_error("open /proc");
  MOORING_TRY(require_procfs(procfs.get(), "/proc"));
  return procfs;
}

Status write_procfs(int procfs, const std::string& path, std::string_view value) {
  open_how how{};
  how.flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  const UniqueFd file(static_cast<int>(syscall(SYS_openat2, procfs, path.c_str(), &how, sizeof how)));
  if (!file) return sys_error("open /proc/" + path);
  MOORING_TRY(require_procfs(file.get(), "/proc/" + path));
  if (write(file.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) return sys_error("write \"" + std::string(value) + "\" to /proc/" + path);
  return ok();
}

Status set_oom_score(int score, bool required, const Warn& warn) {
  auto procfs = open_procfs();
  if (!procfs) return std::move(procfs.error());
  auto written = write_procfs(procfs->get(), "self/oom_score_adj", std::to_string(score));
  if (written) return ok();
  const std::string message = "process.oomScoreAdj: " + written.error().message;
  if (written.error().code != EACCES) return Error{message, written.error().code};
  if (required) return Error{message + " (lowering it needs CAP_SYS_RESOURCE)", EACCES};
  warn(message + " (lowering it needs CAP_SYS_RESOURCE); it stays as the caller's");
  return ok();
}

Status check_sysctls(const Config& config) {
  for (const auto& [name, value] : config.sysctl) {
    const int flag = namespace_of(name);
    if (!flag) return Error{field(name) + ": belongs to the whole host, no namespace keeps it apart"};
    if (!config.namespaces.has(flag)) return Error{field(name) + ": the container shares this with the host; it needs a namespace of its own in linux.namespaces"};
    if ((file_of(name) + "/").find("/../") != std::string::npos) return Error{field(name) + ": is not the name of a sysctl"};
  }
  return ok();
}

Status set_sysctls(const Config& config) {
  if (config.sysctl.empty()) return ok();
  auto procfs = open_procfs();
  if (!procfs) return std::move(procfs.error());
  for (const auto& [name, value] : config.sysctl) {
    auto written = write_procfs(procfs->get(), "sys/" + file_of(name), value);
    if (!written) return Error{field(name) + ": " + written.error().message, written.error().code};
  }
  return ok();
}

}  // namespace mooring
