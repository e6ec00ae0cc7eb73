#include "user_namespace.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "namespaces.h"

namespace mooring {
namespace {

// A process in a user namespace, for as long as this lives: a namespace has a mapping to read and write only by way of a process in it.
class Resident {
 public:
  /// `joined`: the namespace to be in; -1: a new one.
  static Result<Resident> place(int joined) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return sys_error("make a socket pair");
    UniqueFd ours(ends[0]), theirs(ends[1]);
    const pid_t pid = fork();
    if (pid < 0) return sys_error("fork");
    if (pid == 0) {
      ours.reset();
      stay(joined, theirs.get());
    }
    theirs.reset();
    Resident resident(pid, std::move(ours));
    int code = EPIPE;
    if (read(resident.line_.get(), &code, sizeof code) != sizeof code || code != 0)
      return Error{std::string(joined < 0 ? "make a user namespace" : "join the user namespace") + ": " + std::strerror(code), code};
    return resident;
  }
  Resident(Resident&& other) noexcept : pid_(std::exchange(other.pid_, -1)), line_(std::move(other.line_)) {}
  ~Resident() {
    line_.reset();  // it leaves at the end of file, also that of our own end
    while (pid_ > 0 && waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  pid_t pid() const { return pid_; }

 private:
  Resident(pid_t pid, UniqueFd line) : pid_(pid), line_(std::move(line)) {}

  [[noreturn]] static void stay(int joined, int line) {
    const int code = (joined < 0 ? unshare(CLONE_NEWUSER) : setns(joined, CLONE_NEWUSER)) == 0 ? 0 : errno;
    char byte;
    if (write(line, &code, sizeof code) == sizeof code)
      while (read(line, &byte, 1) < 0 && errno == EINTR) {
      }
    _exit(0);
  }

  pid_t pid_;
  UniqueFd line_;
};

}  // namespace

Result<UserNamespace> new_user_namespace(const IdMaps& maps) {
  auto resident = Resident::place(-1);
  if (!resident) return std::move(resident.error());
  const std::string folder = "/proc/" + std::to_string(resident->pid());
  MOORING_TRY(write_file(AT_FDCWD, folder + "/gid_map", maps.gids.text(), "gid_map (linux.gidMappings)"));
  MOORING_TRY(write_file(AT_FDCWD, folder + "/uid_map", maps.uids.text(), "uid_map (linux.uidMappings)"));
  UserNamespace made{UniqueFd(open((folder + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC)), maps};
  if (!made.handle) return sys_error("open the new user namespace");
  return made;
}

Result<UserNamespace> open_user_namespace(const std::string& path) {
  auto handle = open_namespace({CLONE_NEWUSER, path});
  if (!handle) return std::move(handle.error());
  auto resident = Resident::place(handle->get());
  if (!resident) return Error{"linux.namespaces: " + path + ": " + resident.error().message, resident.error().code};
  auto maps = read_id_maps(resident->pid());
  if (!maps) return std::move(maps.error());
  return UserNamespace{std::move(*handle), std::move(*maps)};
}

Status become_namespace_root() {
  if (setgroups(0, nullptr) != 0) return sys_error("let go of the host's groups");
  if (setresgid(0, 0, 0) != 0) return sys_error("become group 0 of the user namespace");
  if (setresuid(0, 0, 0) != 0) return sys_error("become user 0 of the user namespace");
  return ok();
}

}  // namespace mooring
