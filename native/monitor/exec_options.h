// The command line of `mooring-runtime exec-monitor`.
#pragma once

#include "monitor/command_line.h"
#include "monitor/start_time.h"

namespace mooring {

struct ExecMonitorOptions {
  std::string container;  // its id: of its keyring, and for whoever reads the list of processes
  std::string bundle;
  std::string state_dir;
  pid_t pid = -1;
  long long start_time = 0;
  StandardInput input = StandardInput::kNone;
  bool awaits_client = true;
  int status_fd = -1;
};

extern const char kExecMonitorUsage[];

/// `argv[0]` is the subcommand's name. The Error says which option is wrong, and how.
Result<ExecMonitorOptions> parse_exec_monitor_options(int argc, char** argv);

}  // namespace mooring
