#include "foreground.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "runtime/unique_fd.h"

namespace mooring::oci {
namespace {

sigset_t all_signals() {
  sigset_t set;
  sigfillset(&set);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&set, fault);
  return set;
}

// Our own terminal lets every key through while this lives.
class RawTerminal {
 public:
  explicit RawTerminal(bool wanted) : raw_(wanted && tcgetattr(0, &saved_) == 0) {
    if (!raw_) return;
    termios raw = saved_;
    cfmakeraw(&raw);
    tcsetattr(0, TCSANOW, &raw);
  }
  ~RawTerminal() {
    if (raw_) tcsetattr(0, TCSANOW, &saved_);
  }

 private:
  termios saved_{};
  bool raw_;
};

void pass_size(int console) {
  winsize size{};
  if (ioctl(0, TIOCGWINSZ, &size) == 0) ioctl(console, TIOCSWINSZ, &size);  // where stdin is no terminal there is no size to pass
}

// False at the end.
bool copy(int from, int to) {
  char buffer[16384];
  const ssize_t got = read(from, buffer, sizeof buffer);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got == 0) return false;
  for (ssize_t done = 0; done < got;) {
    const ssize_t put = write(to, buffer + done, static_cast<std::size_t>(got - done));
    if (put < 0 && errno != EINTR) return false;
    if (put > 0) done += put;
  }
  return true;
}

// The exit code once it has ended.
bool reap(pid_t pid, int& code) {
  int status;
  for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (ended != pid) continue;
    code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
  }
  return false;
}

}  // namespace

void hold_signals() {
  const sigset_t set = all_signals();
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

Result<int> stay_with(pid_t pid, int console) {
  const sigset_t set = all_signals();
  const UniqueFd signals(signalfd(-1, &set, SFD_CLOEXEC));
  if (!signals) return sys_error("signalfd");
  const RawTerminal terminal(console >= 0);
  if (console >= 0) pass_size(console);
  int code = 0;
  pollfd waiting[3] = {{signals.get(), POLLIN, 0}, {console, POLLIN, 0}, {console >= 0 ? 0 : -1, POLLIN, 0}};
  for (bool ended = reap(pid, code); !ended;) {
    if (poll(waiting, 3, -1) < 0 && errno != EINTR) return sys_error("poll");
    if (waiting[1].revents && !copy(console, 1)) waiting[1].fd = -1;
    if (waiting[2].revents && !copy(0, console)) {
      const char end_of_file = 4;  // ^D
      if (write(console, &end_of_file, 1) < 0 && errno != EIO) return sys_error("write to the terminal");
      waiting[2].fd = -1;
    }
    if (!waiting[0].revents) continue;
    signalfd_siginfo signal;
    if (read(signals.get(), &signal, sizeof signal) != sizeof signal) return sys_error("read signals");
    if (signal.ssi_signo == SIGCHLD) ended = reap(pid, code);
    else if (signal.ssi_signo == SIGWINCH && console >= 0) pass_size(console);
    else kill(pid, static_cast<int>(signal.ssi_signo));
  }
  // What it wrote last is still in the pty.
  for (pollfd rest{waiting[1].fd, POLLIN, 0}; rest.fd >= 0 && poll(&rest, 1, 0) > 0 && copy(rest.fd, 1);) {
  }
  return code;
}

}  // namespace mooring::oci
