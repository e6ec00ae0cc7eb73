#include "monitor/standby.h"

#include <unistd.h>

#include <optional>
#include <vector>

#include "monitor/detach.h"
#include "monitor/footprint.h"
#include "monitor/monitor.h"
#include "monitor/status_pipe.h"

namespace mooring {

const char kStandbyUsage[] =
    "usage: mooring-runtime standby --cgroup PATH --status-fd FD\n"
    "\n"
    "Makes a container's first process ahead, tells that it stands, and becomes its monitor once it is told of what bundle.\n"
    "\n"
    "  --cgroup PATH        the cgroup below each hierarchy, such as /mooring-default/ID; the bundle must want that one\n"
    "  --status-fd FD       descriptor, 3 or above, as `mooring-runtime monitor` has it; told first that the process stands\n"
    "\n"
    "On the descriptor behind that, the arguments of `mooring-runtime monitor` follow, each ended by a zero byte, and one more zero byte ends them.\n";

Result<StandbyOptions> parse_standby_options(int argc, char** argv) {
  StandbyOptions options;
  const Option table[] = {
      {"cgroup", [&](const char* value) { return parse_path("cgroup", value, options.cgroup); }},
      {"status-fd", [&](const char* value) { return parse_number("status-fd", value, 3, options.status_fd); }},
  };
  MOORING_TRY(parse_options(argc, argv, table));
  options.command_fd = options.status_fd + 1;
  return options;
}

namespace {

/// The words of a command line; none when whoever would write them has gone.
std::vector<std::string> read_words(UniqueFd source) {
  std::string text;
  char part[4096];
  while (!text.ends_with(std::string_view("\0\0", 2))) {
    const ssize_t count = ::read(source.get(), part, sizeof part);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return {};
    text.append(part, static_cast<size_t>(count));
  }
  std::vector<std::string> words;
  for (size_t at = 0; text[at] != '\0'; at += words.back().size() + 1) words.emplace_back(text.c_str() + at);
  return words;
}

Result<MonitorOptions> parse_words(std::vector<std::string>& words) {
  char name[] = "monitor";
  std::vector<char*> arguments{name};
  for (std::string& word : words) arguments.push_back(word.data());
  const int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  return parse_monitor_options(count, arguments.data());
}

int fail(StatusPipe& status, const Error& error) {
  status.tell_failed(error);
  return 1;
}

}  // namespace

int run_standby(const StandbyOptions& options) {
  StatusPipe status(options.status_fd);
  UniqueFd command(options.command_fd);
  if (const Status detached = detach(options.status_fd, options.command_fd); !detached) return fail(status, detached.error());
  auto prepared = prepare_sandbox(options.cgroup);
  if (!prepared) return fail(status, prepared.error());
  std::optional<Sandbox> sandbox(std::move(*prepared));
  status.tell_standing();
  shrink_footprint();

  std::vector<std::string> words = read_words(std::move(command));
  int exit_status = 0;
  if (!words.empty()) {
    const auto monitor = parse_words(words);
    exit_status = monitor ? run_monitor_in(sandbox, *monitor, status) : fail(status, monitor.error());
  }
  if (sandbox) discard_sandbox(std::move(*sandbox), options.cgroup);
  return exit_status;
}

}  // namespace mooring
