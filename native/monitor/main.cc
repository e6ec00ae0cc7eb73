// `mooring-runtime`: finds the subcommand and runs it.
#include <cstdio>
#include <string_view>

#include "monitor/monitor.h"
#include "monitor/monitor_options.h"
#include "monitor/status_pipe.h"
#include "monitor/version.h"
#include "runtime/self_exe.h"

namespace {

constexpr const char* kUsage =
    "usage: mooring-runtime COMMAND [OPTION]...\n"
    "       mooring-runtime --help | --version\n"
    "\n"
    "commands:\n"
    "  monitor    run the container of an OCI bundle, and stay as long as it does\n";

constexpr int kBadUsage = 2;

/// `argv` begins with the subcommand's name, `whole_command` with the program's.
int monitor_command(int argc, char** argv, char** whole_command) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--help") {
      std::fputs(mooring::kMonitorUsage, stdout);
      return 0;
    }
  }
  const auto options = mooring::parse_monitor_options(argc, argv);
  if (!options) {
    std::fprintf(stderr, "mooring-runtime monitor: %s\nTry: mooring-runtime monitor --help\n", options.error().message.c_str());
    return kBadUsage;
  }
  if (const auto safe = mooring::rerun_read_only(whole_command); !safe) {
    mooring::StatusPipe(options->status_fd).tell_failed(safe.error().message);
    return 1;
  }
  return mooring::run_monitor(*options);
}

struct Command {
  std::string_view name;
  int (*run)(int argc, char** argv, char** whole_command);
};

constexpr Command kCommands[] = {{"monitor", monitor_command}};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  if (name == "--version") {
    std::printf("mooring-runtime version %s\nspec: %s\n", mooring::kVersion, mooring::kRuntimeSpecVersion);
    return 0;
  }
  if (name == "--help") {
    std::fputs(kUsage, stdout);
    return 0;
  }
  for (const Command& command : kCommands)
    if (command.name == name) return command.run(argc - 1, argv + 1, argv);
  if (name.empty())
    std::fputs("mooring-runtime: which command?\n", stderr);
  else
    std::fprintf(stderr, "mooring-runtime: unknown command \"%s\"\n", argv[1]);
  std::fputs(kUsage, stderr);
  return kBadUsage;
}
