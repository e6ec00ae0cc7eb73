// `log-loss.json` in the state folder: how much of a container's output its log has not taken. Not there as long as that is nothing.
#pragma once

#include "monitor/log_sink.h"
#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

class LogLossFile {
 public:
  /// Removes an earlier run's.
  static Status remove(const UniqueFd& folder);

  /// `{"lines":12,"bytes":3456}`, where that has changed: once a second at most. Failures are passed over: the log says it, too.
  void tell(const UniqueFd& folder, const LogLoss& loss);

 private:
  LogLoss told_;
  long long told_at_ms_ = -kEveryMs;
  static constexpr long long kEveryMs = 1000;
};

}  // namespace mooring
