#include "oom_watch.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "runtime/files.h"
#include "runtime/launch.h"

namespace mooring::oci {
namespace {

// Documentation/admin-guide/cgroup-v1/memory.rst, "OOM Control": "<event_fd> <fd of memory.oom_control>" into cgroup.event_control.
Result<UniqueFd> by_eventfd(const std::string& folder) {
  UniqueFd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return sys_error("make an eventfd");
  const UniqueFd control(open((folder + "/memory.oom_control").c_str(), O_RDONLY | O_CLOEXEC));
  if (!control) return sys_error("open " + folder + "/memory.oom_control");
  MOORING_TRY(write_file(AT_FDCWD, folder + "/cgroup.event_control", std::to_string(event.get()) + " " + std::to_string(control.get()), folder + "/cgroup.event_control"));
  return event;
}

Result<UniqueFd> by_inotify(const std::string& file) {
  UniqueFd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch) return sys_error("make an inotify descriptor");
  if (inotify_add_watch(watch.get(), file.c_str(), IN_MODIFY) < 0) return sys_error("watch " + file);
  return watch;
}

}  // namespace

Result<OomWatch> watch_oom(const std::string& memory_cgroup) {
  const std::string events = memory_cgroup + "/memory.events";
  auto fd = access(events.c_str(), F_OK) == 0 ? by_inotify(events) : by_eventfd(memory_cgroup);
  if (!fd) return std::move(fd.error());
  OomWatch watch{std::move(*fd)};
  auto kills = oom_kills(memory_cgroup);
  if (!kills) return std::move(kills.error());
  watch.seen = *kills;
  return watch;
}

Result<unsigned long> OomWatch::count(const std::string& memory_cgroup) {
  char buffer[4096];
  while (read(fd.get(), buffer, sizeof buffer) > 0) {
  }
  auto kills = oom_kills(memory_cgroup);
  if (!kills) return kills.error().code == ENOENT || kills.error().code == ENODEV ? Result<unsigned long>(0) : std::move(kills);
  const unsigned long fresh = *kills - seen;
  seen = *kills;
  return fresh;
}

}  // namespace mooring::oci
