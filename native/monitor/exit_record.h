// `exit.json`: how a container's process ended.
#pragma once

#include <signal.h>

#include <ctime>
#include <string>

#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

struct ExitRecord {
  int exit_code = 0;  // 0–255; 128 + n when signal n ended it
  int signal = 0;     // 0 when none did
  bool oom_killed = false;
  timespec started_at{};
  timespec finished_at{};

  /// From what waitid gave.
  static ExitRecord of(const siginfo_t& status);
  /// `{"exitCode":137,"signal":9,"oomKilled":false,"startedAt":"…","finishedAt":"…"}`; signal null when there was none.
  std::string json() const;
};

/// Durably writes the record into the bundle; where that can't be, because somebody has removed the bundle or its disk is full, into the state folder.
Status write_exit_record(const ExitRecord& record, const UniqueFd& bundle, const UniqueFd& state_folder);

/// Removes what an earlier run has left in either place.
Status remove_exit_records(const UniqueFd& bundle, const UniqueFd& state_folder);

}  // namespace mooring
