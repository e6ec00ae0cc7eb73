#include "namespaces.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstring>

#include "open_in_root.h"
#include "procfs.h"

namespace mooring {

namespace {

const char* type_name(int flag) {
  switch (flag) {
    case CLONE_NEWNS: return "mount";
    case CLONE_NEWPID: return "pid";
    case CLONE_NEWIPC: return "ipc";
    case CLONE_NEWUTS: return "uts";
    case CLONE_NEWNET: return "network";
    case CLONE_NEWCGROUP: return "cgroup";
    case CLONE_NEWUSER: return "user";
    case CLONE_NEWTIME: return "time";
    default: return "";
  }
}

Status join(const JoinedNamespace& one) {
  auto handle = open_namespace(one);
  if (!handle) return std::move(handle.error());
  return setns(handle->get(), one.flag) == 0 ? ok() : Status(sys_error("linux.namespaces: join " + one.path));
}

}  // namespace

Result<UniqueFd> open_namespace(const JoinedNamespace& wanted) {
  // Not for reading, and only then known to be no FIFO or device: those open() would wait for, or wake.
  const UniqueFd place(open(wanted.path.c_str(), O_PATH | O_CLOEXEC));
  if (!place) return sys_error("linux.namespaces: open " + wanted.path);
  struct statfs status;
  if (fstatfs(place.get(), &status) != 0) return sys_error("linux.namespaces: statfs " + wanted.path);
  if (status.f_type != NSFS_MAGIC) return Error{"linux.namespaces: " + wanted.path + " is not a namespace", EINVAL};
  UniqueFd handle(open(fd_path(place.get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!handle) return sys_error("linux.namespaces: open " + wanted.path);
  const int type = ioctl(handle.get(), NS_GET_NSTYPE);
  if (type < 0) return sys_error("linux.namespaces: ask for the type of " + wanted.path);
  if (type != wanted.flag) return Error{"linux.namespaces: " + wanted.path + " is a namespace of type " + type_name(type) + ", not " + type_name(wanted.flag), EINVAL};
  return handle;
}

Status join_namespaces(const Namespaces& namespaces) {
  const JoinedNamespace* mount = nullptr;
  for (const JoinedNamespace& one : namespaces.joined) {
    if (one.flag == CLONE_NEWNS) mount = &one;
    else if (one.flag != CLONE_NEWUSER) MOORING_TRY(join(one));
  }
  return mount ? join(*mount) : ok();
}

Status unshare_time(const std::vector<TimeOffset>& offsets) {
  if (unshare(CLONE_NEWTIME) != 0) return sys_error("unshare the time namespace");
  std::string text;
  for (const TimeOffset& one : offsets) text += one.clock + " " + std::to_string(one.seconds) + " " + std::to_string(one.nanoseconds) + "\n";
  if (text.empty()) return ok();
  auto procfs = open_procfs();
  if (!procfs) return std::move(procfs.error());
  auto written = write_procfs(procfs->get(), "self/timens_offsets", text);
  return written ? ok() : Status(Error{"linux.timeOffsets: " + written.error().message, written.error().code});
}

Status raise_loopback() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return sys_error("open a socket to bring up lo");
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return sys_error("bring up lo");
  return ok();
}

Status set_names(const Config& config) {
  if (!config.hostname.empty() && sethostname(config.hostname.data(), config.hostname.size()) != 0) return sys_error("set hostname " + config.hostname);
  if (!config.domainname.empty() && setdomainname(config.domainname.data(), config.domainname.size()) != 0) return sys_error("set domainname " + config.domainname);
  return ok();
}

}  // namespace mooring
