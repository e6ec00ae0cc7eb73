#include "monitor/exec_monitor.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include "monitor/durable_file.h"
#include "monitor/footprint.h"
#include "monitor/relay_pump.h"
#include "monitor/supervisor.h"
#include "runtime/exec.h"

namespace mooring {

namespace {

constexpr const char* kProcess = "process.json";
constexpr int kFirstClientMs = 10'000;

/// Its environment may hold secrets: the file goes as soon as it is read.
Result<std::string> take_process(const UniqueFd& folder) {
  const UniqueFd file(::openat(folder.get(), kProcess, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return sys_error(std::string("open ") + kProcess);
  std::string text;
  char part[4096];
  for (;;) {
    const ssize_t count = ::read(file.get(), part, sizeof part);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sys_error(std::string("read ") + kProcess);
    if (count == 0) break;
    text.append(part, static_cast<size_t>(count));
  }
  MOORING_TRY(remove_file(folder, kProcess));
  return text;
}

/// Of that very process, and of none that was given its pid later.
Result<UniqueFd> open_process(pid_t pid, long long start_time) {
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));  // the C library's is declared for C only
  if (!pidfd) return sys_error("the container's process " + std::to_string(pid));
  const auto found = start_time_of(pid);
  if (!found || *found != start_time) return Error{"the container's process " + std::to_string(pid) + " has ended", ESRCH};
  return pidfd;
}

class ExecMonitor final : public Supervisor, private OutputSource {
 public:
  explicit ExecMonitor(const ExecMonitorOptions& options) : Supervisor(options.input), options_(options) {}

  Status start(StatusPipe& status) override;
  void supervise() override;
  Status record() override;

 private:
  Status execute_process(const std::string& process);
  Status add_pump(Stream stream, UniqueFd source) override;
  void clients_have_room() override;
  bool drained();

  const ExecMonitorOptions& options_;
  std::unique_ptr<RelayPump> pumps_[2];
};

Status ExecMonitor::start(StatusPipe& status) {
  MOORING_TRY(open_state_folder(options_.state_dir));
  auto process = take_process(state_folder());
  if (!process) return std::move(process.error());
  MOORING_TRY(listen(Slow::kWait));
  clients().set_source(*this);
  MOORING_TRY(execute_process(*process));
  const auto self = identify(::getpid());
  if (!self) return self.error();
  const auto started = identify_process();
  if (!started) return started.error();
  status.tell_started(*started, *self);
  return ok();
}

Status ExecMonitor::execute_process(const std::string& process) {
  auto container = open_process(options_.pid, options_.start_time);
  if (!container) return std::move(container.error());
  const auto stdio = make_pipes();
  if (!stdio) return stdio.error();
  auto launched = execute({
      .id = options_.container,
      .pid = options_.pid,
      .pidfd = container->get(),
      .process = process,
      .bundle = options_.bundle,
      .stdin_fd = stdio->input,
      .stdout_fd = stdio->output,
      .stderr_fd = stdio->error,
      .dies_with_caller = true,
  });
  if (!launched) return std::move(launched.error());
  return follow(std::move(*launched));
}

Status ExecMonitor::add_pump(Stream stream, UniqueFd source) {
  auto pump = RelayPump::create(loop(), clients(), stream, std::move(source));
  if (!pump) return std::move(pump.error());
  pumps_[static_cast<int>(stream)] = std::move(*pump);
  return ok();
}

void ExecMonitor::clients_have_room() {
  for (const auto& pump : pumps_)
    if (pump) pump->resume();
}

bool ExecMonitor::drained() {
  bool all = true;
  for (const auto& pump : pumps_)
    if (pump && !pump->drained()) all = false;
  return all;
}

void ExecMonitor::supervise() {
  shrink_footprint();
  // What else happens meanwhile begins the wait anew, which nobody minds.
  while (options_.awaits_client && !clients().had_client())
    if (!loop().wait(kFirstClientMs)) break;
  if (!clients().had_client()) clients_have_room();
  while (!ended()) loop().wait(-1);
  while (!drained()) loop().wait(-1);
}

Status ExecMonitor::record() {
  const auto record = reap();
  if (!record) return record.error();
  const auto written = replace_file(state_folder(), "exit.json", record->json());
  clients().unlink();
  clients().finish(static_cast<uint8_t>(record->exit_code));
  return written;
}

}  // namespace

int run_exec_monitor(const ExecMonitorOptions& options) {
  return run_supervisor(options.status_fd, [&] { return std::make_unique<ExecMonitor>(options); });
}

}  // namespace mooring
