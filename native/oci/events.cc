#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "command.h"
#include "oom_watch.h"
#include "stats.h"

namespace mooring::oci {
namespace {

// "5", "5s", "2m".
Result<int> milliseconds(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  const double factor = unit.empty() || unit == "s" ? 1000 : unit == "ms" ? 1 : unit == "m" ? 60000 : 0;
  if (end == text.c_str() || factor == 0 || number * factor < 1 || number * factor > 1e9) return Error{"--interval: \"" + text + "\" must be a time above zero, as 5s"};
  return static_cast<int>(number * factor);
}

Status print(const std::string& line) {
  if (std::printf("%s\n", line.c_str()) < 0 || std::fflush(stdout) != 0) return sys_error("write to standard output");
  return ok();
}

Status print_stats(const Container& container) {
  auto line = stats_line(container);
  return line ? print(*line) : std::move(line.error());
}

// Until its first process has ended.
Status follow(const Container& container, int interval) {
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, container.pid, 0)));
  if (!process || start_time_of(container.pid) != container.start_time) return ok();
  auto memory = memory_cgroup_of(container);
  if (!memory) return std::move(memory.error());
  auto watch = watch_oom(*memory);
  if (!watch) return std::move(watch.error());
  MOORING_TRY(print_stats(container));
  pollfd waiting[] = {{process.get(), POLLIN, 0}, {watch->fd.get(), POLLIN, 0}};
  for (;;) {
    const int ready = poll(waiting, 2, interval);
    if (ready < 0 && errno != EINTR) return sys_error("poll");
    if (ready == 0) MOORING_TRY(print_stats(container));
    auto kills = watch->count(*memory);
    if (!kills) return std::move(kills.error());
    if (*kills > 0) MOORING_TRY(print(nlohmann::json{{"type", "oom"}, {"id", container.id}}.dump()));
    if (waiting[0].revents) return ok();
  }
}

}  // namespace

Result<int> events(const Context& context, const Arguments& arguments) {
  auto interval = milliseconds(arguments.value("interval", "5s"));
  if (!interval) return std::move(interval.error());
  auto container = load_container(context.root, arguments.operands()[0]);
  if (!container) return std::move(container.error());
  if (const State now = container->state(); now == State::stopped || now == State::creating) return Error{"container not running: \"" + container->id + "\" is " + name_of(now), ESRCH};
  MOORING_TRY(arguments.has("stats") ? print_stats(*container) : follow(*container, *interval));
  return 0;
}

}  // namespace mooring::oci
