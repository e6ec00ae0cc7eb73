#include "monitor/monitor.h"

#include <sys/file.h>
#include <unistd.h>

#include "monitor/durable_file.h"
#include "monitor/footprint.h"
#include "monitor/log_loss_file.h"
#include "monitor/log_pump.h"
#include "monitor/log_queue.h"
#include "monitor/state_file.h"
#include "monitor/supervisor.h"

namespace mooring {

namespace {

// How long a container must be silent until the memory that its output, or its start, has taken is given back.
constexpr int kQuietMs = 1000;

constexpr int kFirstClientsMs = 10'000;

/// Held for the monitor's whole life. The kernel gives it back however that ends.
Status lock_bundle(const UniqueFd& bundle, const std::string& path) {
  if (::flock(bundle.get(), LOCK_EX | LOCK_NB) == 0) return ok();
  if (errno == EWOULDBLOCK) return Error{"the bundle " + path + " is in use by another monitor", EWOULDBLOCK};
  return sys_error("flock " + path);
}

class Monitor final : public Supervisor, private OutputSource {
 public:
  Monitor(const MonitorOptions& options, std::optional<Sandbox>* sandbox) : Supervisor(options.input), options_(options), sandbox_(sandbox) {}

  Status start(StatusPipe& status) override;
  void supervise() override;
  Status record() override;

 private:
  Status open_folders();
  Status open_log();
  Status launch_container();
  Status add_pump(Stream stream, UniqueFd source) override;
  void clients_have_room() override;

  const MonitorOptions& options_;
  std::optional<Sandbox>* const sandbox_;  // null: the process is yet to be made
  UniqueFd bundle_;  // locked
  std::unique_ptr<LogSink> log_;
  LogLossFile log_loss_;
  std::unique_ptr<LogPump> pumps_[2];
  ProcessIdentity init_;
  unsigned long oom_kills_before_ = 0;
};

Status Monitor::start(StatusPipe& status) {
  MOORING_TRY(open_folders());
  MOORING_TRY(open_log());
  MOORING_TRY(listen(Slow::kDrop));
  clients().set_source(*this);
  const auto self = identify(::getpid());
  if (!self) return self.error();

  MOORING_TRY(remove_exit_records(bundle_, state_folder()));
  const StateFile state(options_.id, options_.bundle, *self);
  Status started = state.write_creating(state_folder());
  if (started) started = launch_container();
  if (started) started = state.write_running(state_folder(), init_, started_at());
  if (!started) {
    kill_process();
    (void)StateFile::remove(state_folder());  // the first error is the one to tell
    return started;
  }
  status.tell_started(init_, *self);
  return ok();
}

Status Monitor::open_folders() {
  auto bundle = open_folder(options_.bundle);
  if (!bundle) return std::move(bundle.error());
  MOORING_TRY(lock_bundle(*bundle, options_.bundle));
  bundle_ = std::move(*bundle);
  return open_state_folder(options_.state_dir);
}

Status Monitor::open_log() {
  MOORING_TRY(LogLossFile::remove(state_folder()));
  auto files = LogFiles::open(options_.log, options_.log_max_files);
  if (!files) return std::move(files.error());
  auto writer = LogWriter::create(std::move(*files), {options_.log_max_bytes, options_.log_max_age});
  if (!writer) return std::move(writer.error());
  if (!options_.log_drops) {
    log_ = std::move(*writer);
    return ok();
  }
  auto queue = LogQueue::create(std::move(*writer));
  if (!queue) return std::move(queue.error());
  log_ = std::move(*queue);
  return ok();
}

Status Monitor::launch_container() {
  const auto stdio = make_pipes();
  if (!stdio) return stdio.error();
  const LaunchOptions options{
      .id = options_.id,
      .bundle = options_.bundle,
      .stdin_fd = stdio->input,
      .stdout_fd = stdio->output,
      .stderr_fd = stdio->error,
      .dies_with_caller = true,
  };
  auto launched = sandbox_ ? launch_in(*std::exchange(*sandbox_, std::nullopt), options) : launch(options);
  if (!launched) return std::move(launched.error());
  MOORING_TRY(follow(std::move(*launched)));
  if (!process().memory_cgroup.empty()) {
    // The folder may be an earlier run's, and its counter with it.
    const auto before = oom_kills(process().memory_cgroup);
    if (!before) return before.error();
    oom_kills_before_ = *before;
  }
  const auto init = identify_process();
  if (!init) return init.error();
  init_ = *init;
  return ok();
}

Status Monitor::add_pump(Stream stream, UniqueFd source) {
  auto pump = LogPump::start(loop(), *log_, clients(), stream, std::move(source));
  if (!pump) return std::move(pump.error());
  pumps_[static_cast<int>(stream)] = std::move(*pump);
  return ok();
}

void Monitor::clients_have_room() {
  for (const auto& pump : pumps_)
    if (pump) pump->resume();
}

void Monitor::supervise() {
  clients().await_clients(options_.clients, kFirstClientsMs);
  int timeout = kQuietMs;
  while (!ended()) {
    const bool busy = loop().wait(timeout);
    log_loss_.tell(state_folder(), log_->loss());
    if (busy) {
      timeout = kQuietMs;
      continue;
    }
    for (const auto& pump : pumps_)
      if (pump) pump->rest();
    timeout = log_->rest();
    shrink_footprint();
  }
  for (const auto& pump : pumps_)
    if (pump) pump->finish();
  log_->finish();
}

Status Monitor::record() {
  auto record = reap();
  if (!record) return record.error();
  if (!process().memory_cgroup.empty()) {
    // Where somebody has removed the cgroup already, there is nothing left to ask.
    const auto after = oom_kills(process().memory_cgroup);
    record->oom_killed = after && *after > oom_kills_before_;
  }
  MOORING_TRY(write_exit_record(*record, bundle_, state_folder()));
  clients().unlink();
  MOORING_TRY(StateFile::remove(state_folder()));
  MOORING_TRY(LogLossFile::remove(state_folder()));
  clients().finish(static_cast<uint8_t>(record->exit_code));
  return ok();
}

}  // namespace

int run_monitor(const MonitorOptions& options) {
  return run_supervisor(options.status_fd, [&] { return std::make_unique<Monitor>(options, nullptr); });
}

int run_monitor_in(std::optional<Sandbox>& sandbox, const MonitorOptions& options, StatusPipe& status) {
  return supervise(status, std::make_unique<Monitor>(options, &sandbox));
}

}  // namespace mooring
