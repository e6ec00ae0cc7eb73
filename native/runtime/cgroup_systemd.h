// Containers' cgroups as scopes of systemd's: linux.cgroupsPath is then "slice:prefix:name".
#pragma once

#include <sys/types.h>

#include <string>

#include "config.h"
#include "result.h"

namespace mooring {

struct SystemdScope {
  std::string slice;   // "machine-a.slice"
  std::string unit;    // "prefix-name.scope"
  std::string cgroup;  // where systemd places it: "/machine.slice/machine-a.slice/prefix-name.scope"
};

/// Without a cgroupsPath "system.slice", prefix "mooring" and the container's id. Error: linux.cgroupsPath is not of that form.
Result<SystemdScope> systemd_scope(const Config& config, const std::string& id);

/// systemd wants a process with a new scope, and ends one that has none: this one stands in until the container's first has been cloned into it.
class ScopeHolder {
 public:
  /// Makes the scope, with the limits that systemd knows, so that it does not undo them. Error on cgroup version 1, where a process can't be cloned into a cgroup.
  Status make(const SystemdScope& scope, const Resources& resources);
  void end();

 private:
  pid_t pid_ = -1;
};

/// Tells systemd of changed limits.
Status update_scope(const std::string& unit, const Resources& resources);

}  // namespace mooring
