// `state.json` in the state folder: the OCI state of a container while its monitor lives, with the monitor's and the process's identity.
#pragma once

#include <string>

#include "monitor/process_identity.h"
#include "runtime/unique_fd.h"

namespace mooring {

/// `{"ociVersion","id","status","bundle","monitor":{"pid","startTime"}}`, and from `running` on `pid`, `startTime` and `startedAt` too.
/// When it names a monitor that is dead, the monitor was killed; the container's process may still run (see monitor.h).
class StateFile {
 public:
  StateFile(std::string id, std::string bundle, ProcessIdentity monitor) : id_(std::move(id)), bundle_(std::move(bundle)), monitor_(monitor) {}

  Status write_creating(const UniqueFd& folder) const;
  Status write_running(const UniqueFd& folder, const ProcessIdentity& init, const timespec& started_at) const;
  static Status remove(const UniqueFd& folder);

 private:
  JsonObject common(const char* status) const;

  const std::string id_;
  const std::string bundle_;
  const ProcessIdentity monitor_;
};

}  // namespace mooring
