// `mooring-runtime`: finds the subcommand and runs it.
#include <cstdio>
#include <string_view>

#include "monitor/exec_monitor.h"
#include "monitor/monitor.h"
#include "monitor/monitor_options.h"
#include "monitor/standby.h"
#include "monitor/status_pipe.h"
#include "monitor/version.h"
#include "oci/oci.h"
#include "runtime/self_exe.h"

namespace {

constexpr const char* kUsage =
    "usage: mooring-runtime COMMAND [OPTION]...\n"
    "       mooring-runtime --help | --version\n"
    "\n"
    "commands:\n"
    "  monitor         run the container of an OCI bundle, and stay as long as it does\n"
    "  exec-monitor    run one more process in a container, and stay as long as it does\n"
    "  standby         make a container's first process ahead, and run a bundle in it once told which\n";

constexpr int kBadUsage = 2;

/// A subcommand that reports on a status descriptor. `argv` begins with its name, `whole_command` with the program's.
template <typename Options>
int supervise(int argc, char** argv, char** whole_command, const char* usage, mooring::Result<Options> (*parse)(int, char**), int (*run)(const Options&)) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--help") {
      std::fputs(usage, stdout);
      return 0;
    }
  }
  const auto options = parse(argc, argv);
  if (!options) {
    std::fprintf(stderr, "mooring-runtime %s: %s\nTry: mooring-runtime %s --help\n", argv[0], options.error().message.c_str(), argv[0]);
    return kBadUsage;
  }
  if (const auto safe = mooring::rerun_read_only(whole_command); !safe) {
    mooring::StatusPipe(options->status_fd).tell_failed(safe.error());
    return 1;
  }
  return run(*options);
}

int monitor_command(int argc, char** argv, char** whole_command) {
  return supervise(argc, argv, whole_command, mooring::kMonitorUsage, mooring::parse_monitor_options, mooring::run_monitor);
}

int exec_monitor_command(int argc, char** argv, char** whole_command) {
  return supervise(argc, argv, whole_command, mooring::kExecMonitorUsage, mooring::parse_exec_monitor_options, mooring::run_exec_monitor);
}

int standby_command(int argc, char** argv, char** whole_command) {
  return supervise(argc, argv, whole_command, mooring::kStandbyUsage, mooring::parse_standby_options, mooring::run_standby);
}

struct Command {
  std::string_view name;
  int (*run)(int argc, char** argv, char** whole_command);
};

constexpr Command kCommands[] = {{"monitor", monitor_command}, {"exec-monitor", exec_monitor_command}, {"standby", standby_command}};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  if (name == "--version") {
    std::printf("mooring-runtime version %s\nspec: %s\n", mooring::kVersion, mooring::kRuntimeSpecVersion);
    return 0;
  }
  if (name == "--help") {
    std::fputs(kUsage, stdout);
    std::fputs(mooring::oci::kUsage, stdout);
    return 0;
  }
  for (const Command& command : kCommands)
    if (command.name == name) return command.run(argc - 1, argv + 1, argv);
  return mooring::oci::run_command_line(argc, argv);
}
