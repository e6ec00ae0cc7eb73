// `attach.sock` in the state folder: where clients see what a container writes as it writes it, write its input, and size its terminal.
#pragma once

#include <array>
#include <memory>

#include "monitor/attach_frames.h"
#include "monitor/event_loop.h"
#include "monitor/input.h"
#include "monitor/log_sink.h"

namespace mooring {

/// What a client that does not read has to expect.
enum class Slow {
  kDrop,  // it is dropped, and finds that out behind what it has yet to read. The container and its log never wait
  kWait,  // the process waits for it
};

/// Told when every client has come to take more.
class OutputSource {
 public:
  virtual ~OutputSource() = default;
  virtual void clients_have_room() = 0;
};

class AttachServer : private Pollable, private InputUser {
 public:
  static constexpr size_t kMostClients = 16;

  /// Listens, in the place of what a killed monitor has left there. Clients are served once the loop runs.
  static Result<std::unique_ptr<AttachServer>> listen(EventLoop& loop, const UniqueFd& folder, Slow slow);
  AttachServer(const AttachServer&) = delete;
  ~AttachServer() override;

  /// Lets clients size the terminal of a pty's master, which stays the caller's.
  Status set_terminal(int master);
  /// Lets clients write to it, after `set_terminal`. `once`: it ends when the first of those who write says so, or goes; on a terminal, which one comes back to, only when it says so.
  Status open_input(UniqueFd target, bool once);
  /// Who calls `have_room` before it calls `output`.
  void set_source(OutputSource& source) { source_ = &source; }

  bool had_client() const { return had_client_; }
  /// Serves the first `count` clients, which it waits for, but no longer than `timeout_ms`. They are patient: the process waits for them rather than that they are dropped.
  void await_clients(unsigned count, int timeout_ms);
  /// Whether each client that the process waits for can take one more frame. Where not, the source is told when they can.
  bool have_room();
  /// To all of them; at most kMaxPayload bytes.
  void output(Stream stream, std::string_view bytes);

  /// No more clients from here on.
  void unlink();
  /// Tells the clients that the process has ended, behind what they have yet to read, and waits for a moment for them to hang up.
  void finish(uint8_t exit_code);

 private:
  /// A place for one. Its memory stays, so an event that comes late harms nobody.
  struct Client : Pollable {
    AttachServer* server = nullptr;
    UniqueFd fd;
    RequestParser parser;
    bool writer = false;
    bool patient = false;  // the process waits for it
    bool full = false;  // the source waits for it
    void ready() override { server->serve(*this); }
  };

  AttachServer(EventLoop& loop, int folder, Slow slow, UniqueFd socket, Input input);
  void ready() override;  // somebody connects
  void accept_client(bool patient);
  void input_has_room() override;
  void serve(Client& client);
  void take(Client& client, const Request& request);
  /// False when it has no room.
  bool send(Client& client, Frame kind, std::string_view payload);
  void say_last(Client& client, Frame kind, std::string_view payload);
  static void see_off(const Client& client, long long deadline_ms);
  void let_go(Client& client);
  void no_longer_writes(Client& client);
  void no_longer_full(Client& client);
  /// Waits for what can be dealt with now.
  void wait_for(Client& client);

  EventLoop& loop_;
  const int folder_;
  const Slow slow_;
  UniqueFd socket_;
  Input input_;
  UniqueFd terminal_;
  bool once_ = false;
  bool had_client_ = false;
  OutputSource* source_ = nullptr;
  std::array<Client, kMostClients> clients_;
};

}  // namespace mooring
