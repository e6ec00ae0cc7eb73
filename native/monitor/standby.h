// `mooring-runtime standby`: a monitor made ahead, with its container's first process in a sandbox, which becomes the monitor of whatever bundle it is told.
#pragma once

#include "monitor/command_line.h"

namespace mooring {

struct StandbyOptions {
  std::string cgroup;  // below each hierarchy
  int status_fd = -1;
  int command_fd = -1;  // the one behind it
};

extern const char kStandbyUsage[];

Result<StandbyOptions> parse_standby_options(int argc, char** argv);

/// Returns, with the exit status of the monitor itself, when its container has ended or could not be started, or when nobody can tell it any more what to run:
/// then nothing is left of the sandbox.
int run_standby(const StandbyOptions& options);

}  // namespace mooring
