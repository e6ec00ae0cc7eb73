#include "console_socket.h"

#include "runtime/send_descriptor.h"

namespace mooring::oci {

Status send_console(const std::string& socket_path, int master) {
  const auto socket = connect_to(socket_path, "--console-socket");
  if (!socket) return socket.error();
  return send_descriptor(socket->get(), "/dev/ptmx", master, "send the terminal to --console-socket " + socket_path);  // receivers take the bytes for the terminal's name
}

Status send_pidfd(const std::string& socket_path, int pidfd) {
  const auto socket = connect_to(socket_path, "--pidfd-socket");
  if (!socket) return socket.error();
  return send_descriptor(socket->get(), "pidfd", pidfd, "send the pidfd to --pidfd-socket " + socket_path);
}

}  // namespace mooring::oci
