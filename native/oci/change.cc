#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "command.h"
#include "runtime/cgroup_control.h"
#include "runtime/cgroup_systemd.h"
#include "runtime/files.h"

namespace mooring::oci {
namespace {

Result<Container> load_in(const Context& context, const Arguments& arguments, std::initializer_list<State> allowed, const char* what) {
  auto container = load_container(context.root, arguments.operands()[0]);
  if (!container) return container;
  const State now = container->state();
  for (const State one : allowed)
    if (one == now) return container;
  return Error{"container \"" + container->id + "\" is " + name_of(now) + " and can't be " + what, EINVAL};
}

struct LimitFlag {
  const char* flag;
  const char* group;
  const char* key;
  bool number = true;
};
constexpr LimitFlag limit_flags[] = {{"memory", "memory", "limit"},
                                     {"memory-swap", "memory", "swap"},
                                     {"memory-reservation", "memory", "reservation"},
                                     {"memory-swappiness", "memory", "swappiness"},
                                     {"cpu-share", "cpu", "shares"},
                                     {"cpu-shares", "cpu", "shares"},
                                     {"cpu-quota", "cpu", "quota"},
                                     {"cpu-period", "cpu", "period"},
                                     {"cpu-burst", "cpu", "burst"},
                                     {"cpu-idle", "cpu", "idle"},
                                     {"cpu-rt-period", "cpu", "realtimePeriod"},
                                     {"cpu-rt-runtime", "cpu", "realtimeRuntime"},
                                     {"cpuset-cpus", "cpu", "cpus", false},
                                     {"cpuset-mems", "cpu", "mems", false},
                                     {"blkio-weight", "blockIO", "weight"},
                                     {"pids-limit", "pids", "limit"}};

// Not by the name /dev/stdin, which can't be opened where that is a socket.
Result<std::string> read_standard_input() {
  std::string text;
  char buffer[16384];
  for (;;) {
    const ssize_t got = read(0, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return sys_error("read standard input");
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

Result<std::string> wanted_resources(const Arguments& arguments) {
  if (arguments.has("resources")) {
    const std::string path = arguments.value("resources");
    return path == "-" ? read_standard_input() : read_file(AT_FDCWD, path);
  }
  nlohmann::json resources = nlohmann::json::object();
  for (const LimitFlag& flag : limit_flags) {
    if (!arguments.has(flag.flag)) continue;
    const std::string text = arguments.value(flag.flag);
    char* end = nullptr;
    const long long number = std::strtoll(text.c_str(), &end, 10);
    if (flag.number && (text.empty() || *end)) return Error{std::string("--") + flag.flag + ": \"" + text + "\" is not a number"};
    if (flag.number) resources[flag.group][flag.key] = number;
    else resources[flag.group][flag.key] = text;
  }
  return resources.dump();
}

}  // namespace

Result<int> pause(const Context& context, const Arguments& arguments) {
  auto container = load_in(context, arguments, {State::running, State::created}, "paused");
  if (!container) return std::move(container.error());
  MOORING_TRY(set_frozen(container->cgroup, true));
  return 0;
}

Result<int> resume(const Context& context, const Arguments& arguments) {
  auto container = load_in(context, arguments, {State::paused}, "resumed");
  if (!container) return std::move(container.error());
  MOORING_TRY(set_frozen(container->cgroup, false));
  return 0;
}

Result<int> update(const Context& context, const Arguments& arguments) {
  auto container = load_in(context, arguments, {State::created, State::running, State::paused}, "updated");
  if (!container) return std::move(container.error());
  auto text = wanted_resources(arguments);
  if (!text) return std::move(text.error());
  auto resources = read_resources_text(*text);
  if (!resources) return std::move(resources.error());
  MOORING_TRY(update_limits(container->cgroup, *resources));
  if (!container->scope.empty()) MOORING_TRY(update_scope(container->scope, *resources));
  return 0;
}

}  // namespace mooring::oci
