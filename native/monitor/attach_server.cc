#include "monitor/attach_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstdio>

#include "monitor/clock_text.h"
#include "monitor/durable_file.h"

namespace mooring {

namespace {

constexpr const char* kName = "attach.sock";

// Kept of what a client has not read yet, by the kernel, and only then. The rest is for the last word.
constexpr int kKept = 4 << 20;
constexpr int kKeptAtEnd = kKept + (1 << 20);

constexpr int kFarewellMs = 1000;

/// Beyond the host's limit (net.core.wmem_max) where we may; else up to that, which is still more than what a socket begins with.
void keep_at_end(int socket) {
  if (::setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &kKeptAtEnd, sizeof kKeptAtEnd) != 0) ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kKeptAtEnd, sizeof kKeptAtEnd);
}

/// A socket's address holds 107 bytes, a path as many as it likes: so it goes by the folder's descriptor.
Status bind_in(int folder, int socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, kName);
  const mode_t mask = ::umask(0177);
  const int bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(mask);
  return bound == 0 ? ok() : Status(sys_error(std::string("bind ") + kName));
}

}  // namespace

Result<std::unique_ptr<AttachServer>> AttachServer::listen(EventLoop& loop, const UniqueFd& folder, Slow slow) {
  MOORING_TRY(remove_file(folder, kName));
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return sys_error("make the attach socket");
  MOORING_TRY(bind_in(folder.get(), socket.get()));
  auto input = Input::create(loop);
  if (!input) return std::move(input.error());
  std::unique_ptr<AttachServer> server(new AttachServer(loop, folder.get(), slow, std::move(socket), std::move(*input)));
  if (::listen(server->socket_.get(), kMostClients) != 0) return sys_error("listen on the attach socket");
  MOORING_TRY(loop.add(server->socket_.get(), *server));
  return server;
}

AttachServer::AttachServer(EventLoop& loop, int folder, Slow slow, UniqueFd socket, Input input) : loop_(loop), folder_(folder), slow_(slow), socket_(std::move(socket)), input_(std::move(input)) {
  for (Client& client : clients_) client.server = this;
}

AttachServer::~AttachServer() { unlink(); }

Status AttachServer::set_terminal(int master) {
  terminal_.reset(::fcntl(master, F_DUPFD_CLOEXEC, 3));
  return terminal_ ? ok() : Status(sys_error("copy the terminal's descriptor"));
}

Status AttachServer::open_input(UniqueFd target, bool once) {
  once_ = once;
  return input_.open(std::move(target), static_cast<bool>(terminal_), *this);
}

void AttachServer::ready() { accept_client(slow_ == Slow::kWait); }

void AttachServer::await_clients(unsigned count, int timeout_ms) {
  const long long deadline = monotonic_ms() + timeout_ms;
  while (count > 0) {
    pollfd state{socket_.get(), POLLIN, 0};
    const long long left = deadline - monotonic_ms();
    const int found = left <= 0 ? 0 : ::poll(&state, 1, static_cast<int>(left));
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0) return;
    accept_client(true);
    count--;
  }
}

void AttachServer::accept_client(bool patient) {
  UniqueFd fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd) return;
  for (Client& client : clients_) {
    if (client.fd) continue;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kKept, sizeof kKept);  // without CAP_NET_ADMIN, what the host gives a socket
    if (!loop_.add(fd.get(), client, 0)) return;
    client.fd = std::move(fd);
    client.parser = {};
    client.writer = client.full = false;
    client.patient = patient;
    wait_for(client);
    const char flags = static_cast<char>((terminal_ ? kWelcomeTerminal : 0) | (input_.is_open() ? kWelcomeStdin : 0));
    send(client, Frame::kWelcome, {&flags, 1});
    if (!std::exchange(had_client_, true) && source_ != nullptr) source_->clients_have_room();
    return;
  }
}

void AttachServer::wait_for(Client& client) {
  loop_.change(client.fd.get(), client, (input_.has_room() ? EPOLLIN : 0u) | (client.full ? EPOLLOUT : 0u));
}

void AttachServer::input_has_room() {
  for (Client& client : clients_)
    if (client.fd) wait_for(client);
}

void AttachServer::serve(Client& client) {
  if (!client.fd) return;
  pollfd state{client.fd.get(), POLLIN | POLLOUT, 0};
  if (::poll(&state, 1, 0) < 0) return;
  if (client.full && (state.revents & POLLOUT) != 0) no_longer_full(client);
  if (!input_.has_room() || (state.revents & POLLIN) == 0) {
    if ((state.revents & (POLLHUP | POLLERR)) != 0) let_go(client);
    return;
  }
  char bytes[Input::kMost];
  const ssize_t count = ::recv(client.fd.get(), bytes, sizeof bytes, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0 || !client.parser.feed({bytes, static_cast<size_t>(count)}, [&](const Request& request) { take(client, request); })) return let_go(client);
  if (!input_.has_room()) input_has_room();  // which it has not: so nobody is read from until it has
}

void AttachServer::take(Client& client, const Request& request) {
  switch (request.kind) {
    case Frame::kStdin:
      client.writer = true;
      if (!request.bytes.empty()) input_.write(request.bytes);
      return;
    case Frame::kStdinEnd:
      client.writer = false;
      if (once_) input_.end();
      return;
    default: {
      const winsize size{request.rows, request.columns, 0, 0};
      if (terminal_) ::ioctl(terminal_.get(), TIOCSWINSZ, &size);
    }
  }
}

void AttachServer::no_longer_writes(Client& client) {
  if (std::exchange(client.writer, false) && once_ && !terminal_) input_.end();
}

bool AttachServer::have_room() {
  bool room = true;
  for (Client& client : clients_) {
    if (!client.fd || !client.patient) continue;
    pollfd state{client.fd.get(), POLLOUT, 0};
    if (::poll(&state, 1, 0) > 0) continue;
    room = false;
    client.full = true;
    wait_for(client);
  }
  return room;
}

void AttachServer::no_longer_full(Client& client) {
  if (!std::exchange(client.full, false)) return;
  if (client.fd) wait_for(client);
  for (const Client& other : clients_)
    if (other.full) return;
  if (source_ != nullptr) source_->clients_have_room();
}

void AttachServer::output(Stream stream, std::string_view bytes) {
  for (Client& client : clients_)
    if (client.fd && !send(client, stream == Stream::kStdout ? Frame::kStdout : Frame::kStderr, bytes)) {
      say_last(client, Frame::kDropped, {});
      let_go(client);
    }
}

bool AttachServer::send(Client& client, Frame kind, std::string_view payload) {
  auto head = frame_head(kind, payload.size());
  iovec parts[2] = {{head.data(), head.size()}, {const_cast<char*>(payload.data()), payload.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  // All of it or nothing: up to some 80 KiB are one buffer of the kernel's (unix_stream_sendmsg), and there is room for one as long as the socket's limit is not reached.
  const ssize_t sent = ::sendmsg(client.fd.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS)) return false;
  if (sent != static_cast<ssize_t>(head.size() + payload.size())) ::shutdown(client.fd.get(), SHUT_RDWR);  // gone, or torn: the loop tells of a hang-up
  return true;
}

/// What it has not read yet stays with the kernel for it.
void AttachServer::say_last(Client& client, Frame kind, std::string_view payload) {
  keep_at_end(client.fd.get());
  send(client, kind, payload);
  ::shutdown(client.fd.get(), SHUT_WR);
}

/// Takes what a client writes until it hangs up. Were its connection closed under it, its next write would fail, and many a client then throws away what it has yet to read.
void AttachServer::see_off(const Client& client, long long deadline_ms) {
  char unread[Input::kMost];
  for (;;) {
    pollfd state{client.fd.get(), POLLIN, 0};
    const long long left = deadline_ms - monotonic_ms();
    if (left <= 0 || ::poll(&state, 1, static_cast<int>(left)) == 0) return;
    const ssize_t count = ::recv(client.fd.get(), unread, sizeof unread, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return;
  }
}

void AttachServer::let_go(Client& client) {
  loop_.remove(client.fd.get());
  client.fd.reset();
  no_longer_writes(client);
  no_longer_full(client);
}

void AttachServer::unlink() {
  if (!socket_) return;
  loop_.remove(socket_.get());
  socket_.reset();
  ::unlinkat(folder_, kName, 0);
}

void AttachServer::finish(uint8_t exit_code) {
  source_ = nullptr;
  const char code = static_cast<char>(exit_code);
  for (Client& client : clients_)
    if (client.fd) say_last(client, Frame::kEnded, {&code, 1});
  const long long deadline = monotonic_ms() + kFarewellMs;
  for (Client& client : clients_) {
    if (!client.fd) continue;
    see_off(client, deadline);
    let_go(client);
  }
}

}  // namespace mooring
