// Requests to the kernel's routing tables (rtnetlink(7)) and to its packet filter, in batches.
#pragma once

#include "addon/js.h"

namespace mooring {

/// `(namespace fd or −1, [{ message, inside, netfilter, tolerate }]) → Promise<[{ errno?, detail?, data }]>`
/// Sends netlink messages one after the other, each when the one before has been acknowledged: to the namespace of that descriptor where `inside`, else to
/// our own; over NETLINK_NETFILTER where `netfilter`, else over NETLINK_ROUTE. Ends with the first that fails with another errno than the one to `tolerate`. `data` holds the messages that came as the answer.
Napi::Value netlink(const Napi::CallbackInfo& info);

}  // namespace mooring
