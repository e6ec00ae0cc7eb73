// --console-socket: hands the pty's master to whoever listens there.
#pragma once

#include <string>

#include "runtime/result.h"

namespace mooring::oci {

Status send_console(const std::string& socket_path, int master);

}  // namespace mooring::oci
