#include "monitor/monitor.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "monitor/attach_server.h"
#include "monitor/clock_text.h"
#include "monitor/detach.h"
#include "monitor/durable_file.h"
#include "monitor/event_loop.h"
#include "monitor/exit_record.h"
#include "monitor/footprint.h"
#include "monitor/log_pump.h"
#include "monitor/pipe.h"
#include "monitor/state_file.h"
#include "monitor/status_pipe.h"
#include "runtime/launch.h"

namespace mooring {

namespace {

// How long a container must be silent until the memory that its output, or its start, has taken is given back.
constexpr int kQuietMs = 1000;

/// Held for the monitor's whole life. The kernel gives it back however that ends.
Status lock_bundle(const UniqueFd& bundle, const std::string& path) {
  if (::flock(bundle.get(), LOCK_EX | LOCK_NB) == 0) return ok();
  if (errno == EWOULDBLOCK) return Error{"the bundle " + path + " is in use by another monitor", EWOULDBLOCK};
  return sys_error("flock " + path);
}

class Monitor : private Pollable {
 public:
  explicit Monitor(const MonitorOptions& options) : options_(options) {}
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// On an error, nothing of the container is left.
  Status start(StatusPipe& status);
  /// Until the container's process has ended and all that it wrote is logged.
  void supervise();
  Status record();

 private:
  Status open_folders();
  Status launch_container();
  Status follow_container();
  Status add_pump(Stream stream, UniqueFd source);
  void ready() override;  // the pidfd
  void kill_container();

  const MonitorOptions& options_;
  UniqueFd bundle_;  // locked
  UniqueFd state_folder_;
  std::optional<EventLoop> loop_;
  std::optional<LogWriter> log_;
  std::unique_ptr<AttachServer> clients_;
  std::unique_ptr<LogPump> pumps_[2];
  Pipe input_;      // empty where there is none, or a console
  Pipe output_[2];  // stdout and stderr; empty where there is a console
  Launched container_;
  ProcessIdentity self_;
  ProcessIdentity init_;
  unsigned long oom_kills_before_ = 0;
  timespec started_at_{};
  timespec finished_at_{};
  bool ended_ = false;
};

Status Monitor::start(StatusPipe& status) {
  MOORING_TRY(open_folders());
  auto loop = EventLoop::create();
  if (!loop) return std::move(loop.error());
  loop_.emplace(std::move(*loop));
  auto files = LogFiles::open(options_.log, options_.log_max_files);
  if (!files) return std::move(files.error());
  log_.emplace(std::move(*files), options_.log_max_bytes);
  auto clients = AttachServer::listen(*loop_, state_folder_, Slow::kDrop);
  if (!clients) return std::move(clients.error());
  clients_ = std::move(*clients);
  const auto self = identify(::getpid());
  if (!self) return self.error();
  self_ = *self;

  MOORING_TRY(remove_exit_records(bundle_, state_folder_));
  const StateFile state(options_.id, options_.bundle, self_);
  Status started = state.write_creating(state_folder_);
  if (started) started = launch_container();
  if (started) started = state.write_running(state_folder_, init_, started_at_);
  if (!started) {
    kill_container();
    (void)StateFile::remove(state_folder_);  // the first error is the one to tell
    return started;
  }
  status.tell_started(init_, self_);
  return ok();
}

Status Monitor::open_folders() {
  auto bundle = open_folder(options_.bundle);
  if (!bundle) return std::move(bundle.error());
  MOORING_TRY(lock_bundle(*bundle, options_.bundle));
  bundle_ = std::move(*bundle);
  auto state_folder = open_folder(options_.state_dir);
  if (!state_folder) return std::move(state_folder.error());
  state_folder_ = std::move(*state_folder);
  return ok();
}

Status Monitor::launch_container() {
  if (options_.input == StandardInput::kNone) {
    input_.read.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!input_.read) return sys_error("open /dev/null");
  } else {
    auto pipe = make_pipe();
    if (!pipe) return std::move(pipe.error());
    input_ = std::move(*pipe);
  }
  for (Pipe& output : output_) {
    auto pipe = make_pipe();
    if (!pipe) return std::move(pipe.error());
    output = std::move(*pipe);
  }
  auto launched = launch({
      .id = options_.id,
      .bundle = options_.bundle,
      .stdin_fd = input_.read.get(),
      .stdout_fd = output_[0].write.get(),
      .stderr_fd = output_[1].write.get(),
      .dies_with_caller = true,
  });
  if (!launched) return std::move(launched.error());
  started_at_ = now();
  container_ = std::move(*launched);
  return follow_container();
}

Status Monitor::follow_container() {
  if (!container_.memory_cgroup.empty()) {
    // The folder may be an earlier run's, and its counter with it.
    const auto before = oom_kills(container_.memory_cgroup);
    if (!before) return before.error();
    oom_kills_before_ = *before;
  }
  const auto init = identify(container_.pid);
  if (!init) return init.error();
  init_ = *init;
  input_.read.reset();
  for (Pipe& output : output_) output.write.reset();  // or the streams would never end
  if (container_.console) {
    MOORING_TRY(clients_->set_terminal(container_.console.get()));
    if (options_.input != StandardInput::kNone) input_.write.reset(::fcntl(container_.console.get(), F_DUPFD_CLOEXEC, 3));
    MOORING_TRY(add_pump(Stream::kStdout, std::move(container_.console)));
  } else {
    MOORING_TRY(add_pump(Stream::kStdout, std::move(output_[0].read)));
    MOORING_TRY(add_pump(Stream::kStderr, std::move(output_[1].read)));
  }
  for (Pipe& output : output_) output.read.reset();
  if (options_.input != StandardInput::kNone) MOORING_TRY(clients_->open_input(std::move(input_.write), options_.input == StandardInput::kOnce));
  return loop_->add(container_.pidfd.get(), *this);
}

Status Monitor::add_pump(Stream stream, UniqueFd source) {
  auto pump = LogPump::start(*loop_, *log_, *clients_, stream, std::move(source));
  if (!pump) return std::move(pump.error());
  pumps_[static_cast<int>(stream)] = std::move(*pump);
  return ok();
}

void Monitor::kill_container() {
  if (!container_.pidfd) return;
  ::kill(container_.pid, SIGKILL);  // our child, not yet waited for: the pid is still its
  siginfo_t status{};
  while (::waitid(P_PIDFD, static_cast<id_t>(container_.pidfd.get()), &status, WEXITED) != 0 && errno == EINTR) {
  }
}

void Monitor::ready() {
  ended_ = true;
  finished_at_ = now();
}

void Monitor::supervise() {
  bool rested = false;
  while (!ended_) {
    if (loop_->wait(rested ? -1 : kQuietMs)) {
      rested = false;
      continue;
    }
    for (const auto& pump : pumps_)
      if (pump) pump->rest();
    shrink_footprint();
    rested = true;
  }
  for (const auto& pump : pumps_)
    if (pump) pump->finish();
}

Status Monitor::record() {
  siginfo_t status{};
  while (::waitid(P_PIDFD, static_cast<id_t>(container_.pidfd.get()), &status, WEXITED) != 0)
    if (errno != EINTR) return sys_error("waitid the container's process");
  ExitRecord record = ExitRecord::of(status);
  record.started_at = started_at_;
  record.finished_at = finished_at_;
  if (!container_.memory_cgroup.empty()) {
    // Where somebody has removed the cgroup already, there is nothing left to ask.
    const auto after = oom_kills(container_.memory_cgroup);
    record.oom_killed = after && *after > oom_kills_before_;
  }
  MOORING_TRY(write_exit_record(record, bundle_, state_folder_));
  clients_->unlink();
  MOORING_TRY(StateFile::remove(state_folder_));
  clients_->finish(static_cast<uint8_t>(record.exit_code));
  return ok();
}

}  // namespace

int run_monitor(const MonitorOptions& options) {
  StatusPipe status(options.status_fd);
  std::optional<Monitor> monitor;
  Status started = detach(options.status_fd);
  if (started) started = monitor.emplace(options).start(status);
  if (!started) {
    // Told last of all, when the bundle's lock is free again: whoever hears it may try at once.
    monitor.reset();
    status.tell_failed(started.error());
    return 1;
  }
  avoid_oom_killer();
  monitor->supervise();
  return monitor->record() ? 0 : 1;
}

}  // namespace mooring
