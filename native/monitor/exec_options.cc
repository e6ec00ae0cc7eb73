#include "monitor/exec_options.h"

namespace mooring {

const char kExecMonitorUsage[] =
    "usage: mooring-runtime exec-monitor --container ID --bundle DIR --pid PID --start-time N --state-dir DIR [--stdin HOW] [--client HOW] --status-fd FD\n"
    "\n"
    "Runs one more process in a container, and stays as long as it does: serves its standard streams to attached clients, and records how it ended.\n"
    "\n"
    "  --container ID     names the container\n"
    "  --bundle DIR       absolute path of the container's bundle\n"
    "  --pid PID          the container's first process\n"
    "  --start-time N     when that started, in clock ticks since boot\n"
    "  --state-dir DIR    absolute path of the folder of this process: process.json is read and removed; attach.sock and exit.json are made\n"
    "  --stdin HOW        none: /dev/null (default); open: from attached clients; once: likewise, until the first that writes has no more\n"
    "  --client HOW       awaited: what it writes first waits for a client, for ten seconds (default); none: it does not\n"
    "  --status-fd FD     descriptor, 3 or above, to tell in one line of JSON whether the process has started\n";

Result<ExecMonitorOptions> parse_exec_monitor_options(int argc, char** argv) {
  ExecMonitorOptions options;
  const Option table[] = {
      {"container", [&](const char* value) { return options.container = value, ok(); }},
      {"bundle", [&](const char* value) { return parse_path("bundle", value, options.bundle); }},
      {"pid", [&](const char* value) { return parse_number("pid", value, 1, options.pid); }},
      {"start-time", [&](const char* value) { return parse_number("start-time", value, 0ll, options.start_time); }},
      {"state-dir", [&](const char* value) { return parse_path("state-dir", value, options.state_dir); }},
      {"stdin", [&](const char* value) { return parse_standard_input("stdin", value, options.input); }, true},
      {"client",
       [&](const char* value) {
         const std::string_view how = value;
         options.awaits_client = how == "awaited";
         return options.awaits_client || how == "none" ? ok() : Status(Error{"--client wants awaited or none, not \"" + std::string(how) + "\"", 0});
       },
       true},
      {"status-fd", [&](const char* value) { return parse_number("status-fd", value, 3, options.status_fd); }},
  };
  MOORING_TRY(parse_options(argc, argv, table));
  return options;
}

}  // namespace mooring
