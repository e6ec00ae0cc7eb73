#include "monitor/monitor_options.h"

namespace mooring {

const char kMonitorUsage[] =
    "usage: mooring-runtime monitor --id ID --bundle DIR --state-dir DIR --log PATH --log-max-bytes N --log-max-files N [--log-max-age N] [--log-mode HOW] [--stdin HOW] [--clients N] --status-fd FD\n"
    "\n"
    "Runs the container of an OCI bundle, and stays as long as it does: logs what it writes, shows it to attached clients, and records how it ended.\n"
    "\n"
    "  --id ID              names the container\n"
    "  --bundle DIR         absolute path of the bundle; exit.json is written here\n"
    "  --state-dir DIR      absolute path of the folder for state.json and attach.sock\n"
    "  --log PATH           absolute path of the log, in the CRI format; rotated files get .1, .2, ...\n"
    "  --log-max-bytes N    begin a new log file before this one grows beyond N bytes\n"
    "  --log-max-files N    keep N log files, the current one included\n"
    "  --log-max-age N      begin a new log file when the first line of this one is N seconds old\n"
    "  --log-mode HOW       block: the container waits for its log (default); drop: what it writes meanwhile is dropped and counted\n"
    "  --stdin HOW          none: /dev/null (default); open: from attached clients; once: likewise, until the first that writes has no more\n"
    "  --clients N          what the container writes waits for so many clients, for ten seconds at first; none by default\n"
    "  --status-fd FD       descriptor, 3 or above, to tell in one line of JSON whether the container has started\n";

Result<MonitorOptions> parse_monitor_options(int argc, char** argv) {
  MonitorOptions options;
  const Option table[] = {
      {"id", [&](const char* value) { return options.id = value, ok(); }},
      {"bundle", [&](const char* value) { return parse_path("bundle", value, options.bundle); }},
      {"state-dir", [&](const char* value) { return parse_path("state-dir", value, options.state_dir); }},
      {"log", [&](const char* value) { return parse_path("log", value, options.log); }},
      {"log-max-bytes", [&](const char* value) { return parse_number("log-max-bytes", value, 1ul, options.log_max_bytes); }},
      {"log-max-files", [&](const char* value) { return parse_number("log-max-files", value, 1u, options.log_max_files); }},
      {"log-max-age", [&](const char* value) { return parse_number("log-max-age", value, time_t{1}, options.log_max_age); }, true},
      {"log-mode",
       [&](const char* value) {
         const std::string_view mode = value;
         options.log_drops = mode == "drop";
         return options.log_drops || mode == "block" ? ok() : Status(Error{"--log-mode wants block or drop, not \"" + std::string(mode) + "\"", 0});
       },
       true},
      {"stdin", [&](const char* value) { return parse_standard_input("stdin", value, options.input); }, true},
      {"clients", [&](const char* value) { return parse_number("clients", value, 0u, options.clients); }, true},
      {"status-fd", [&](const char* value) { return parse_number("status-fd", value, 3, options.status_fd); }},
  };
  MOORING_TRY(parse_options(argc, argv, table));
  if (options.id.empty()) return Error{"--id wants a name", 0};
  if (options.log.back() == '/') return Error{"--log wants a file, not \"" + options.log + "\"", 0};
  return options;
}

}  // namespace mooring
