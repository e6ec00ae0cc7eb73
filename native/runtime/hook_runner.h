// The createRuntime hooks, which belong to the runtime's namespaces: the builder may have left these when their time comes.
#pragma once

#include <sys/types.h>

#include "init.h"
#include "launch.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

/// Runs them once the container's namespaces and mounts are made, and before its root is entered (runtime specification, "createRuntime hooks"); its first process waits meanwhile.
class HookRunner {
 public:
  /// While the builder has the host's namespaces and rights. Gives `plan` the end at which the container's first process waits.
  Status prepare(InitPlan& plan, const LaunchOptions& options);

  /// In the container's first process: lets go of the builder's ends.
  void leave();

  /// In the builder, once the container's first process is born.
  Status run(const InitPlan& plan, const LaunchOptions& options, pid_t pid);

 private:
  Status stay_on_host(const InitPlan& plan, const LaunchOptions& options);
  Status run_here(const InitPlan& plan, const LaunchOptions& options, pid_t pid);

  UniqueFd gate_, other_gate_;
  UniqueFd line_;      // to the helper
  pid_t helper_ = -1;  // has stayed on the host; -1: the builder has itself
};

}  // namespace mooring
