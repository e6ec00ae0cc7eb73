// What every monitor does, be it of a container or of one more process in it: starts the process with its streams, serves clients, waits for its end.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "monitor/attach_server.h"
#include "monitor/command_line.h"
#include "monitor/detach.h"
#include "monitor/event_loop.h"
#include "monitor/exit_record.h"
#include "monitor/pipe.h"
#include "monitor/process_identity.h"
#include "monitor/status_pipe.h"
#include "runtime/launch.h"

namespace mooring {

class Supervisor : private Pollable {
 public:
  Supervisor(const Supervisor&) = delete;
  ~Supervisor() override = default;

  /// Starts the process and tells so. On an error, nothing of it is left.
  virtual Status start(StatusPipe& status) = 0;
  /// Until the process has ended and all that it wrote is through.
  virtual void supervise() = 0;
  /// Writes down how it ended, then tells the clients.
  virtual Status record() = 0;

 protected:
  /// The container's side of the process's streams: what launch() and execute() take. -1 where the container's own /dev/null is to be there.
  struct Stdio {
    int input = -1;
    int output = -1;
    int error = -1;
  };

  explicit Supervisor(StandardInput input) : input_(input) {}

  Status open_state_folder(const std::string& path);
  const UniqueFd& state_folder() const { return state_folder_; }
  /// Makes the event loop, and the attach socket in the state folder.
  Status listen(Slow slow);
  Result<Stdio> make_pipes();
  /// Takes over the process that was launched with the pipes' other ends: `add_pump` for its output, and clients for its input.
  Status follow(Launched launched);
  virtual Status add_pump(Stream stream, UniqueFd source) = 0;

  /// The process, once `follow` has succeeded; it has a pidfd from before that on.
  const Launched& process() const { return process_; }
  Result<ProcessIdentity> identify_process() const { return identify(process_.pid); }
  bool ended() const { return ended_; }
  const timespec& started_at() const { return started_at_; }
  EventLoop& loop() { return *loop_; }
  AttachServer& clients() { return *clients_; }
  void kill_process();
  /// Waits for the process, which has ended.
  Result<ExitRecord> reap();

 private:
  void ready() override;  // the pidfd

  const StandardInput input_;
  UniqueFd state_folder_;
  std::optional<EventLoop> loop_;
  std::unique_ptr<AttachServer> clients_;
  Pipe stdin_;       // empty where there is none
  Pipe outputs_[2];  // stdout and stderr
  Launched process_;
  timespec started_at_{};
  timespec finished_at_{};
  bool ended_ = false;
};

/// Makes this process a monitor and runs it to its end; gives the exit status.
int run_supervisor(int status_fd, const std::function<std::unique_ptr<Supervisor>()>& make);

/// The same in a process that is detached already.
int supervise(StatusPipe& status, std::unique_ptr<Supervisor> monitor);

}  // namespace mooring
