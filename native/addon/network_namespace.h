// Network namespaces, entered by threads that end at once: a thread of libuv's pool must never be in another one than it was.
#pragma once

#include "addon/js.h"
#include "runtime/unique_fd.h"

namespace mooring {

/// A socket of the network namespace `ns`, or of the process's own where that is negative. It stays in there whoever uses it.
Result<UniqueFd> netlink_socket(int ns, int protocol);

/// `() → Promise<fd>`: a new network namespace, which lives for as long as this descriptor or anything in it does.
Napi::Value create_network_namespace(const Napi::CallbackInfo& info);

}  // namespace mooring
