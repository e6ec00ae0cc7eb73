#include "addon/monitor_source.h"

#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "addon/pidfd.h"

namespace mooring {

namespace {

std::string describe_end(const siginfo_t& status) {
  if (status.si_code == CLD_EXITED) return "it exited with status " + std::to_string(status.si_status);
  return "signal " + std::to_string(status.si_status) + " ended it";
}

}  // namespace

uint32_t MonitorSource::interest() const { return EPOLLIN; }

Source::Verdict MonitorSource::ready() {
  if (status_) return read_status();
  siginfo_t status;
  const bool reaped = reap(pidfd_, status);
  const std::lock_guard lock(mutex_);
  end_ = reaped ? describe_end(status) : "another part of this process reaped it";
  return {.tell = true, .done = true};
}

Source::Verdict MonitorSource::read_status() {
  Verdict verdict;
  char text[4096];
  for (;;) {
    const ssize_t count = ::read(status_.get(), text, sizeof text);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return verdict;
    if (count <= 0) {
      verdict.next = true;
      return verdict;
    }
    part_.append(text, static_cast<size_t>(count));
    for (size_t end; (end = part_.find('\n')) != std::string::npos; part_.erase(0, end + 1)) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(part_.substr(0, end));
      verdict.tell = true;
    }
  }
}

std::optional<std::string> MonitorSource::take_line() {
  const std::lock_guard lock(mutex_);
  if (lines_.empty()) return std::nullopt;
  std::string line = std::move(lines_.front());
  lines_.pop_front();
  return line;
}

std::optional<std::string> MonitorSource::end() {
  const std::lock_guard lock(mutex_);
  return end_;
}

}  // namespace mooring
