// A process by pid and start time.
#pragma once

#include "monitor/json_text.h"
#include "monitor/start_time.h"

namespace mooring {

struct ProcessIdentity {
  pid_t pid = -1;
  long long start_time = 0;  // clock ticks since boot
};

inline Result<ProcessIdentity> identify(pid_t pid) {
  const auto start_time = start_time_of(pid);
  if (!start_time) return start_time.error();
  return ProcessIdentity{pid, *start_time};
}

/// As members `pid` and `startTime`.
inline JsonObject& add_identity(JsonObject& object, const ProcessIdentity& process) {
  return object.number("pid", process.pid).number("startTime", process.start_time);
}

}  // namespace mooring
