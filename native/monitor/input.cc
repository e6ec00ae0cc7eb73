#include "monitor/input.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>

#include <cstring>

namespace mooring {

Result<Input> Input::create(EventLoop& loop) {
  auto kept = PageBuffer::create(kMost);
  if (!kept) return kept.error();
  return Input(loop, std::move(*kept));
}

Status Input::open(UniqueFd target, bool terminal, InputUser& user) {
  // The flag is the open file's: it does not reach the other end, which is the container's.
  if (::fcntl(target.get(), F_SETFL, O_NONBLOCK) != 0) return sys_error("fcntl F_SETFL the container's input");
  target_ = std::move(target);
  terminal_ = terminal;
  user_ = &user;
  return ok();
}

void Input::write(std::string_view bytes) {
  bytes.remove_prefix(count_ == 0 ? push(bytes) : 0);
  if (bytes.empty() || !target_) return;
  std::memcpy(kept_.bytes().data() + begin_ + count_, bytes.data(), bytes.size());
  count_ += bytes.size();
  if (!waiting_ && !(waiting_ = static_cast<bool>(loop_->add(target_.get(), *this, EPOLLOUT)))) close();
}

void Input::end() {
  if (!target_) return;
  if (terminal_) {
    termios settings{};
    // In raw mode the character would be one like any other.
    if (::tcgetattr(target_.get(), &settings) == 0 && (settings.c_lflag & ICANON) != 0) {
      const char eof = static_cast<char>(settings.c_cc[VEOF]);
      write({&eof, 1});
    }
    return;
  }
  if (count_ == 0)
    close();
  else
    ending_ = true;
}

void Input::ready() {
  if (!waiting_) return;
  const size_t done = push({kept_.bytes().data() + begin_, count_});
  if (target_) {
    begin_ += done;
    count_ -= done;
    pollfd gone{target_.get(), 0, 0};
    if (count_ > 0 && ::poll(&gone, 1, 0) == 0) return;
    if (count_ > 0 || ending_) close();
  }
  rest();
  user_->input_has_room();
}

/// Gives how many bytes the container has taken; closes the input where it takes none any more.
size_t Input::push(std::string_view bytes) {
  size_t done = 0;
  while (target_ && done < bytes.size()) {
    const ssize_t count = ::write(target_.get(), bytes.data() + done, bytes.size() - done);
    if (count > 0) {
      done += static_cast<size_t>(count);
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else if (count < 0 && errno == EAGAIN) {
      break;
    } else {
      close();
    }
  }
  return done;
}

void Input::close() {
  rest();
  target_.reset();
}

void Input::rest() {
  if (waiting_) loop_->remove(target_.get());
  waiting_ = false;
  begin_ = count_ = 0;
  kept_.give_back();
}

}  // namespace mooring
