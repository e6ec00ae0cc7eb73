#include "console_socket.h"

#include "runtime/send_descriptor.h"

namespace mooring::oci {

Status send_console(const std::string& socket_path, int master) {
  const auto socket = connect_to(socket_path, "--console-socket");
  if (!socket) return socket.error();
  return send_descriptor(socket->get(), "/dev/ptmx", master, "send the terminal to --console-socket " + socket_path);  // receivers take the bytes for the terminal's name
}

}  // namespace mooring::oci
