#include "console_socket.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "runtime/unique_fd.h"

namespace mooring::oci {

Status send_console(const std::string& socket_path, int master) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) return Error{"--console-socket: the path is too long", ENAMETOOLONG};
  socket_path.copy(address.sun_path, socket_path.size());
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket || connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return sys_error("connect to --console-socket " + socket_path);
  char name[] = "/dev/ptmx";  // receivers take it for the terminal's name
  iovec content{name, sizeof name - 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof master)] = {};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof master);
  std::memcpy(CMSG_DATA(rights), &master, sizeof master);
  return sendmsg(socket.get(), &message, MSG_NOSIGNAL) < 0 ? Status(sys_error("send the terminal to --console-socket " + socket_path)) : ok();
}

}  // namespace mooring::oci
