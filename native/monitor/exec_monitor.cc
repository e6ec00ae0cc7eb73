#include "monitor/exec_monitor.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <optional>

#include "monitor/attach_server.h"
#include "monitor/clock_text.h"
#include "monitor/detach.h"
#include "monitor/durable_file.h"
#include "monitor/exit_record.h"
#include "monitor/footprint.h"
#include "monitor/pipe.h"
#include "monitor/process_identity.h"
#include "monitor/relay_pump.h"
#include "monitor/status_pipe.h"
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

class ExecMonitor : private Pollable, private OutputSource {
 public:
  explicit ExecMonitor(const ExecMonitorOptions& options) : options_(options) {}
  ExecMonitor(const ExecMonitor&) = delete;

  Status start(StatusPipe& status);
  void supervise();
  Status record();

 private:
  Status execute_process(const std::string& process);
  Status add_pump(Stream stream, UniqueFd source);
  void ready() override;  // the pidfd
  void clients_have_room() override;
  bool drained();

  const ExecMonitorOptions& options_;
  UniqueFd folder_;
  std::optional<EventLoop> loop_;
  std::unique_ptr<AttachServer> clients_;
  std::unique_ptr<RelayPump> pumps_[2];
  Launched process_;
  timespec started_at_{};
  bool ended_ = false;
};

Status ExecMonitor::start(StatusPipe& status) {
  auto folder = open_folder(options_.state_dir);
  if (!folder) return std::move(folder.error());
  folder_ = std::move(*folder);
  auto process = take_process(folder_);
  if (!process) return std::move(process.error());
  auto loop = EventLoop::create();
  if (!loop) return std::move(loop.error());
  loop_.emplace(std::move(*loop));
  auto clients = AttachServer::listen(*loop_, folder_, Slow::kWait);
  if (!clients) return std::move(clients.error());
  clients_ = std::move(*clients);
  clients_->set_source(*this);
  MOORING_TRY(execute_process(*process));
  const auto self = identify(::getpid());
  if (!self) return self.error();
  const auto started = identify(process_.pid);
  if (!started) return started.error();
  status.tell_started(*started, *self);
  return ok();
}

Status ExecMonitor::execute_process(const std::string& process) {
  auto container = open_process(options_.pid, options_.start_time);
  if (!container) return std::move(container.error());
  Pipe input, output[2];
  for (Pipe* each : {&input, &output[0], &output[1]}) {
    if (each == &input && options_.input == StandardInput::kNone) continue;  // the container's /dev/null
    auto pipe = make_pipe();
    if (!pipe) return std::move(pipe.error());
    *each = std::move(*pipe);
  }
  auto launched = execute({
      .pid = options_.pid,
      .pidfd = container->get(),
      .process = process,
      .bundle = options_.bundle,
      .stdin_fd = input.read.get(),
      .stdout_fd = output[0].write.get(),
      .stderr_fd = output[1].write.get(),
      .dies_with_caller = true,
  });
  if (!launched) return std::move(launched.error());
  started_at_ = now();
  process_ = std::move(*launched);
  if (process_.console) {
    MOORING_TRY(clients_->set_terminal(process_.console.get()));
    if (options_.input != StandardInput::kNone) input.write.reset(::fcntl(process_.console.get(), F_DUPFD_CLOEXEC, 3));
    MOORING_TRY(add_pump(Stream::kStdout, std::move(process_.console)));
  } else {
    MOORING_TRY(add_pump(Stream::kStdout, std::move(output[0].read)));
    MOORING_TRY(add_pump(Stream::kStderr, std::move(output[1].read)));
  }
  if (options_.input != StandardInput::kNone) MOORING_TRY(clients_->open_input(std::move(input.write), options_.input == StandardInput::kOnce));
  return loop_->add(process_.pidfd.get(), *this);
}

Status ExecMonitor::add_pump(Stream stream, UniqueFd source) {
  auto pump = RelayPump::create(*loop_, *clients_, stream, std::move(source));
  if (!pump) return std::move(pump.error());
  pumps_[static_cast<int>(stream)] = std::move(*pump);
  return ok();
}

void ExecMonitor::ready() {
  ended_ = true;
  loop_->remove(process_.pidfd.get());  // or it would wake the loop for ever
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
  while (!clients_->had_client())
    if (!loop_->wait(kFirstClientMs)) break;
  if (!clients_->had_client()) clients_have_room();
  while (!ended_) loop_->wait(-1);
  while (!drained()) loop_->wait(-1);
}

Status ExecMonitor::record() {
  siginfo_t status{};
  while (::waitid(P_PIDFD, static_cast<id_t>(process_.pidfd.get()), &status, WEXITED) != 0)
    if (errno != EINTR) return sys_error("waitid the process");
  ExitRecord record = ExitRecord::of(status);
  record.started_at = started_at_;
  record.finished_at = now();
  const auto written = replace_file(folder_, "exit.json", record.json());
  clients_->unlink();
  clients_->finish(static_cast<uint8_t>(record.exit_code));
  return written;
}

}  // namespace

int run_exec_monitor(const ExecMonitorOptions& options) {
  StatusPipe status(options.status_fd);
  std::optional<ExecMonitor> monitor;
  Status started = detach(options.status_fd);
  if (started) started = monitor.emplace(options).start(status);
  if (!started) {
    monitor.reset();
    status.tell_failed(started.error());
    return 1;
  }
  avoid_oom_killer();
  monitor->supervise();
  return monitor->record() ? 0 : 1;
}

}  // namespace mooring
