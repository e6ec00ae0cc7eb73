#include <fcntl.h>
#include <unistd.h>

#include <cctype>
#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

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
  enum { count, bytes, text } kind = count;
};
constexpr LimitFlag limit_flags[] = {{"memory", "memory", "limit", LimitFlag::bytes},
                                     {"memory-swap", "memory", "swap", LimitFlag::bytes},
                                     {"memory-reservation", "memory", "reservation", LimitFlag::bytes},
                                     {"memory-swappiness", "memory", "swappiness"},
                                     {"cpu-share", "cpu", "shares"},
                                     {"cpu-shares", "cpu", "shares"},
                                     {"cpu-quota", "cpu", "quota"},
                                     {"cpu-period", "cpu", "period"},
                                     {"cpu-burst", "cpu", "burst"},
                                     {"cpu-idle", "cpu", "idle"},
                                     {"cpu-rt-period", "cpu", "realtimePeriod"},
                                     {"cpu-rt-runtime", "cpu", "realtimeRuntime"},
                                     {"cpuset-cpus", "cpu", "cpus", LimitFlag::text},
                                     {"cpuset-mems", "cpu", "mems", LimitFlag::text},
                                     {"blkio-weight", "blockIO", "weight"},
                                     {"pids-limit", "pids", "limit"}};

// "-1", "4096"; of bytes also "64M", "64MB", "64MiB", all three of 1024².
std::optional<int64_t> number_of(const std::string& text, bool bytes) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc()) return std::nullopt;
  std::string unit(read.ptr, end);
  if (unit.empty()) return number;
  for (char& letter : unit) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  for (int power = 0; bytes && number >= 0 && power < 5; ++power) {
    const std::string letter(1, "bkmgt"[power]);
    if (unit != letter && (power == 0 || (unit != letter + "b" && unit != letter + "ib"))) continue;
    return number > (INT64_MAX >> (10 * power)) ? std::nullopt : std::optional(number << (10 * power));
  }
  return std::nullopt;
}

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
    auto& target = resources[flag.group][flag.key];
    if (flag.kind == LimitFlag::text) {
      target = text;
      continue;
    }
    const auto number = number_of(text, flag.kind == LimitFlag::bytes);
    if (!number) return Error{std::string("--") + flag.flag + ": \"" + text + "\" is not a number" + (flag.kind == LimitFlag::bytes ? " of bytes, as 1073741824 or 1G" : "")};
    target = *number;
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
