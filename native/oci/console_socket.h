// --console-socket and --pidfd-socket: hand the pty's master, and a pidfd of the process, to whoever listens there.
#pragma once

#include <string>

#include "runtime/result.h"

namespace mooring::oci {

Status send_console(const std::string& socket_path, int master);
Status send_pidfd(const std::string& socket_path, int pidfd);

}  // namespace mooring::oci
