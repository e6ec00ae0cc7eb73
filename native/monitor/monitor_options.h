// The command line of `mooring-runtime monitor`.
#pragma once

#include <string>

#include "monitor/command_line.h"

namespace mooring {

struct MonitorOptions {
  std::string id;
  std::string bundle;
  std::string state_dir;
  std::string log;
  unsigned long log_max_bytes = 0;
  unsigned log_max_files = 0;
  time_t log_max_age = 0;  // seconds; 0: no bound
  bool log_drops = false;  // rather than hold the container up
  StandardInput input = StandardInput::kNone;
  unsigned clients = 0;  // that are to see all that the container writes
  int status_fd = -1;
};

extern const char kMonitorUsage[];

/// `argv[0]` is the subcommand's name. The Error says which option is wrong, and how.
Result<MonitorOptions> parse_monitor_options(int argc, char** argv);

}  // namespace mooring
