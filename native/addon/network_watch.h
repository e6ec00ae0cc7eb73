// Hears what changes in the network of this namespace and of those that it has a link to.
#pragma once

#include "addon/js.h"

namespace mooring {

/// `(onChange) → watch`. `onChange([{ nsid, index }], rules)` after links, addresses or routes changed: the namespace's id (−1 for our own; those of link-netnsid) and the
/// interface's index, 0 where it is not one's alone; `rules` when somebody else than this process changed packet filter rules; index −1 when messages were lost, so that anything may have changed.
Napi::Value watch_network(const Napi::CallbackInfo& info);

}  // namespace mooring
