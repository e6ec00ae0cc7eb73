#include "monitor/supervisor.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "monitor/clock_text.h"
#include "monitor/durable_file.h"

namespace mooring {

Status Supervisor::open_state_folder(const std::string& path) {
  auto folder = open_folder(path);
  if (!folder) return std::move(folder.error());
  state_folder_ = std::move(*folder);
  return ok();
}

Status Supervisor::listen(Slow slow) {
  auto loop = EventLoop::create();
  if (!loop) return std::move(loop.error());
  loop_.emplace(std::move(*loop));
  auto clients = AttachServer::listen(*loop_, state_folder_, slow);
  if (!clients) return std::move(clients.error());
  clients_ = std::move(*clients);
  return ok();
}

Result<Supervisor::Stdio> Supervisor::make_pipes() {
  for (Pipe* each : {&stdin_, &outputs_[0], &outputs_[1]}) {
    if (each == &stdin_ && input_ == StandardInput::kNone) continue;
    auto pipe = make_pipe();
    if (!pipe) return std::move(pipe.error());
    *each = std::move(*pipe);
  }
  return Stdio{stdin_.read.get(), outputs_[0].write.get(), outputs_[1].write.get()};
}

Status Supervisor::follow(Launched launched) {
  started_at_ = now();
  process_ = std::move(launched);
  stdin_.read.reset();
  for (Pipe& output : outputs_) output.write.reset();  // or the streams would never end
  if (process_.console) {
    MOORING_TRY(clients_->set_terminal(process_.console.get()));
    if (input_ != StandardInput::kNone) stdin_.write.reset(::fcntl(process_.console.get(), F_DUPFD_CLOEXEC, 3));
    MOORING_TRY(add_pump(Stream::kStdout, std::move(process_.console)));
  } else {
    MOORING_TRY(add_pump(Stream::kStdout, std::move(outputs_[0].read)));
    MOORING_TRY(add_pump(Stream::kStderr, std::move(outputs_[1].read)));
  }
  for (Pipe& output : outputs_) output.read.reset();
  if (input_ != StandardInput::kNone) MOORING_TRY(clients_->open_input(std::move(stdin_.write), input_ == StandardInput::kOnce));
  return loop_->add(process_.pidfd.get(), *this);
}

void Supervisor::ready() {
  ended_ = true;
  finished_at_ = now();
  loop_->remove(process_.pidfd.get());  // or it would wake the loop for ever
}

void Supervisor::kill_process() {
  if (!process_.pidfd) return;
  ::kill(process_.pid, SIGKILL);  // our child, not yet waited for: the pid is still its
  (void)reap();
}

Result<ExitRecord> Supervisor::reap() {
  siginfo_t status{};
  while (::waitid(P_PIDFD, static_cast<id_t>(process_.pidfd.get()), &status, WEXITED) != 0)
    if (errno != EINTR) return sys_error("waitid the process");
  ExitRecord record = ExitRecord::of(status);
  record.started_at = started_at_;
  record.finished_at = finished_at_;
  return record;
}

int run_supervisor(int status_fd, const std::function<std::unique_ptr<Supervisor>()>& make) {
  StatusPipe status(status_fd);
  if (const Status detached = detach(status_fd, status_fd); !detached) {
    status.tell_failed(detached.error());
    return 1;
  }
  return supervise(status, make());
}

int supervise(StatusPipe& status, std::unique_ptr<Supervisor> monitor) {
  if (const Status started = monitor->start(status); !started) {
    // Told last of all, when the monitor has let go of all that it held, such as the bundle's lock: whoever hears it may try at once.
    monitor.reset();
    status.tell_failed(started.error());
    return 1;
  }
  avoid_oom_killer();
  monitor->supervise();
  return monitor->record() ? 0 : 1;
}

}  // namespace mooring
