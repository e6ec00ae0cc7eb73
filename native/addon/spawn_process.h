// Spawns the runtime, without a fork of this process.
#pragma once

#include <string>
#include <vector>

#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

/// The descriptor on which a spawned monitor finds its status pipe; its order's is the one behind.
constexpr int kStatusFd = 3;

struct Spawned {
  UniqueFd pidfd;
  UniqueFd status;  // read end, non-blocking
  UniqueFd order;   // write end, where there is one
};

/// Gives it a session of its own, default signals, an empty mask, no environment, and of our descriptors only the pipes' other ends.
Result<Spawned> spawn(const std::vector<std::string>& command, bool with_order);

}  // namespace mooring
