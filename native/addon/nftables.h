// Packet filter rules, by libnftables within this process.
#pragma once

#include "addon/js.h"

namespace mooring {

/// `(commands, in text) → Promise<text>`: runs nft(8) commands as one transaction, all or none. What they list is JSON, or nft's own words without counters.
/// Rejects with the library's own words; with code `ENOPKG` where it is not installed.
Napi::Value run_nft(const Napi::CallbackInfo& info);

}  // namespace mooring
