#include "monitor/monitor_options.h"

#include <getopt.h>

#include <charconv>
#include <string_view>

namespace mooring {

const char kMonitorUsage[] =
    "usage: mooring-runtime monitor --id ID --bundle DIR --state-dir DIR --log PATH --log-max-bytes N --log-max-files N --status-fd FD\n"
    "\n"
    "Runs the container of an OCI bundle, and stays as long as it does: logs what it writes, and records how it ended.\n"
    "\n"
    "  --id ID              names the container\n"
    "  --bundle DIR         absolute path of the bundle; exit.json is written here\n"
    "  --state-dir DIR      absolute path of the folder for state.json\n"
    "  --log PATH           absolute path of the log, in the CRI format; rotated files get .1, .2, ...\n"
    "  --log-max-bytes N    begin a new log file before this one grows beyond N bytes\n"
    "  --log-max-files N    keep N log files, the current one included\n"
    "  --status-fd FD       descriptor, 3 or above, to tell in one line of JSON whether the container has started\n";

namespace {

enum Option { kId = 1, kBundle, kStateDir, kLog, kLogMaxBytes, kLogMaxFiles, kStatusFd };

constexpr option kOptions[] = {
    {"id", required_argument, nullptr, kId},
    {"bundle", required_argument, nullptr, kBundle},
    {"state-dir", required_argument, nullptr, kStateDir},
    {"log", required_argument, nullptr, kLog},
    {"log-max-bytes", required_argument, nullptr, kLogMaxBytes},
    {"log-max-files", required_argument, nullptr, kLogMaxFiles},
    {"status-fd", required_argument, nullptr, kStatusFd},
    {nullptr, 0, nullptr, 0},
};

template <typename Number>
Status parse_number(const char* name, std::string_view text, Number least, Number& value) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure == std::errc{} && end == text.data() + text.size() && value >= least) return ok();
  return Error{std::string("--") + name + " wants a number from " + std::to_string(least) + " on, not \"" + std::string(text) + "\"", 0};
}

Status parse_path(const char* name, std::string_view text, std::string& path) {
  if (text.empty() || text.front() != '/') return Error{std::string("--") + name + " wants an absolute path, not \"" + std::string(text) + "\"", 0};
  path = text;
  return ok();
}

Status parse_option(int which, const char* name, const char* value, MonitorOptions& options) {
  switch (which) {
    case kId:
      options.id = value;
      return ok();
    case kBundle:
      return parse_path(name, value, options.bundle);
    case kStateDir:
      return parse_path(name, value, options.state_dir);
    case kLog:
      return parse_path(name, value, options.log);
    case kLogMaxBytes:
      return parse_number(name, value, 1ul, options.log_max_bytes);
    case kLogMaxFiles:
      return parse_number(name, value, 1u, options.log_max_files);
    default:
      return parse_number(name, value, 3, options.status_fd);
  }
}

}  // namespace

Result<MonitorOptions> parse_monitor_options(int argc, char** argv) {
  MonitorOptions options;
  bool seen[kStatusFd + 1] = {};
  opterr = 0;
  optind = 1;
  for (;;) {
    int index = 0;
    const int which = ::getopt_long(argc, argv, ":", kOptions, &index);
    if (which == -1) break;
    if (which == ':') return Error{std::string(argv[optind - 1]) + " wants a value", 0};
    if (which == '?') return Error{std::string("unknown option ") + argv[optind - 1], 0};
    MOORING_TRY(parse_option(which, kOptions[index].name, optarg, options));
    seen[which] = true;
  }
  if (optind < argc) return Error{std::string("unexpected argument \"") + argv[optind] + "\"", 0};
  for (const option& each : kOptions)
    if (each.name != nullptr && !seen[each.val]) return Error{std::string("--") + each.name + " is missing", 0};
  if (options.id.empty()) return Error{"--id wants a name", 0};
  if (options.log.back() == '/') return Error{"--log wants a file, not \"" + options.log + "\"", 0};
  return options;
}

}  // namespace mooring
