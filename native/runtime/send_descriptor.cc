#include "send_descriptor.h"

#include <sys/socket.h>
#include <sys/un.h>

namespace mooring {

Result<UniqueFd> connect_to(const std::string& path, const std::string& label) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Error{label + ": the path " + path + " is too long for a socket", ENAMETOOLONG};
  path.copy(address.sun_path, path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket || connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return sys_error(label + ": connect to " + path);
  return socket;
}

Status send_descriptor(int socket, std::string_view bytes, int fd, const std::string& label) {
  iovec content{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  if (sent < 0) return sys_error(label);
  return static_cast<std::size_t>(sent) == bytes.size() ? ok() : Status(Error{label + ": cut short", EMSGSIZE});
}

}  // namespace mooring
