#include "namespaces.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "unique_fd.h"

namespace mooring {

Status join_namespaces(const Namespaces& namespaces) {
  for (const JoinedNamespace& one : namespaces.joined) {
    const UniqueFd handle(open(one.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!handle) return sys_error("linux.namespaces: open " + one.path);
    if (setns(handle.get(), one.flag) != 0) return sys_error("linux.namespaces: join " + one.path);
  }
  return ok();
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
