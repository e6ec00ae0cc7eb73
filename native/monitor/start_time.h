// When a process started: with its pid, a name that no later process shares.
#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>

#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

/// Field 22 of a line of `/proc/<pid>/stat`, clock ticks since boot (proc(5)), or -1 where the line is cut short.
/// Counted from the last `)`: the command's name, field 2, may hold spaces and parentheses itself.
inline long long parse_start_time(std::string_view stat) {
  size_t at = stat.rfind(')');
  if (at == std::string_view::npos) return -1;
  for (int field = 2; field < 22; ++field) {
    at = stat.find(' ', at);
    if (at == std::string_view::npos) return -1;
    ++at;
  }
  long long ticks = -1;
  const auto [end, failure] = std::from_chars(stat.data() + at, stat.data() + stat.size(), ticks);
  return failure == std::errc{} && end != stat.data() + stat.size() ? ticks : -1;
}

inline Result<long long> start_time_of(pid_t pid) {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return sys_error(std::string("open ") + path);
  char text[1024];
  const ssize_t length = ::read(file.get(), text, sizeof text);
  if (length < 0) return sys_error(std::string("read ") + path);
  const long long ticks = parse_start_time({text, static_cast<size_t>(length)});
  if (ticks < 0) return Error{std::string("read ") + path + ": no start time in it", 0};
  return ticks;
}

}  // namespace mooring
