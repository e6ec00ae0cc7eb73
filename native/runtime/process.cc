#include "process.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <string_view>

namespace mooring {
namespace {

Error exec_error(const std::string& name, const std::string& complaint, int code) { return Error{"exec: \"" + name + "\": " + complaint, code}; }

// 0, or the errno that running it would give.
int why_not(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  if (!S_ISREG(status.st_mode)) return EACCES;
  // Root passes access(2) on files that nobody may execute, execve doesn't; both must agree.
  if (!(status.st_mode & 0111)) return EACCES;
  // The call itself, without AT_EACCESS: glibc's would be faccessat2, which older seccomp profiles, in force by now, refuse. Real and effective user are the same.
  if (syscall(SYS_faccessat, AT_FDCWD, path.c_str(), X_OK) == 0 || errno != EACCES) return 0;
  // It knows nothing of a user's CAP_DAC_OVERRIDE, which the newer one does.
  return syscall(SYS_faccessat2, AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : EACCES;
}

std::string complaint_of(int code) {
  switch (code) {
    case EACCES: return "permission denied";
    case ENOENT: return "no such file or directory";
    case EISDIR: return "permission denied, it is a directory";  // engines look for the former to answer with 126
    default: return std::strerror(code);
  }
}

std::string_view search_path(const Process& process) {
  for (const std::string& variable : process.env)
    if (variable.starts_with("PATH=")) return std::string_view(variable).substr(5);
  return {};
}

std::vector<char*> c_strings(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& one : strings) pointers.push_back(const_cast<char*>(one.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Status reset_signals() {
  // The kernel's own call and structure (rt_sigaction(2)): glibc's refuses the two signals that it keeps for itself, and its posix_spawn leaves them ignored.
  constexpr unsigned long standard[4] = {};  // SIG_DFL, no flags, no restorer, an empty mask
  for (int number = 1; number < NSIG; ++number) syscall(SYS_rt_sigaction, number, standard, nullptr, sizeof(unsigned long));  // KILL and STOP refuse, rightly
  sigset_t none;
  sigemptyset(&none);
  return sigprocmask(SIG_SETMASK, &none, nullptr) == 0 ? ok() : Status(sys_error("reset the signal mask"));
}

Status set_rlimits(const std::vector<Rlimit>& limits, bool required, const Warn& warn) {
  for (const Rlimit& limit : limits) {
    const rlimit value{limit.soft, limit.hard};
    if (setrlimit(limit.resource, &value) == 0) continue;
    Error error = sys_error("process.rlimits: set " + limit.name + " to " + std::to_string(limit.soft) + ":" + std::to_string(limit.hard));
    rlimit own{};
    if (error.code != EPERM || getrlimit(limit.resource, &own) != 0) return error;
    error.message += " (this host's hard limit is " + std::to_string(own.rlim_max) + ", and raising it needs CAP_SYS_RESOURCE)";
    if (required) return error;
    const rlimit most{std::min<rlim_t>(limit.soft, own.rlim_max), std::min<rlim_t>(limit.hard, own.rlim_max)};
    if (setrlimit(limit.resource, &most) != 0) return error;
    warn(error.message + "; it is " + std::to_string(most.rlim_cur) + ":" + std::to_string(most.rlim_max));
  }
  return ok();
}

void raise_hard_limits(const std::vector<Rlimit>& limits) {
  for (const Rlimit& limit : limits) {
    rlimit own{};
    if (getrlimit(limit.resource, &own) != 0 || own.rlim_max >= limit.hard) continue;
    own.rlim_max = limit.hard;
    setrlimit(limit.resource, &own);
  }
}

Status switch_user(const User& user) {
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return sys_error("keep capabilities across the switch of user");
  if (setgroups(user.additional_gids.size(), user.additional_gids.data()) != 0) return sys_error("set process.user.additionalGids");
  if (setresgid(user.gid, user.gid, user.gid) != 0) return sys_error("set process.user.gid to " + std::to_string(user.gid));
  if (setresuid(user.uid, user.uid, user.uid) != 0) return sys_error("set process.user.uid to " + std::to_string(user.uid));
  if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0) return sys_error("keep capabilities no longer");
  return ok();
}

Status enter_folder(const std::string& cwd) {
  if (chdir(cwd.c_str()) != 0) return sys_error("process.cwd: chdir to " + cwd);
  char path[PATH_MAX];
  // The system call itself: it answers "(unreachable)…" for a folder outside of the root.
  if (syscall(SYS_getcwd, path, sizeof path) < 0) return sys_error("process.cwd: getcwd in " + cwd);
  if (path[0] != '/') return Error{"process.cwd: " + cwd + " leads out of the container's root", EPERM};
  return ok();
}

Result<std::string> find_program(const Process& process) {
  const std::string& name = process.args.front();
  if (name.find('/') != std::string::npos) {
    const int code = why_not(name);
    if (code) return exec_error(name, complaint_of(code), code);
    return name;
  }
  bool forbidden = false;
  for (std::string_view rest = search_path(process); !name.empty() && !rest.empty();) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string_view folder = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::string candidate = (folder.empty() ? "." : std::string(folder)) + "/" + name;
    const int code = why_not(candidate);
    if (code == 0) return candidate;
    forbidden = forbidden || code == EACCES;
  }
  if (forbidden) return exec_error(name, "permission denied", EACCES);
  return exec_error(name, "executable file not found in $PATH", ENOENT);
}

Error run_program(const std::string& program, const Process& process) {
  const auto args = c_strings(process.args);
  const auto env = c_strings(process.env);
  execve(program.c_str(), args.data(), env.data());
  const int code = errno;
  if (code == ENOENT) return exec_error(process.args.front(), "its interpreter or loader is missing in the rootfs", code);
  if (code == ENOEXEC) return exec_error(process.args.front(), "exec format error", code);
  return exec_error(process.args.front(), complaint_of(code), code);
}

}  // namespace mooring
