#include "monitor/event_loop.h"

namespace mooring {

Result<EventLoop> EventLoop::create() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return sys_error("epoll_create1");
  return EventLoop(std::move(epoll));
}

Status EventLoop::add(int fd, Pollable& pollable, unsigned events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &pollable;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return sys_error("epoll_ctl ADD");
  return ok();
}

void EventLoop::change(int fd, Pollable& pollable, unsigned events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &pollable;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::remove(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

bool EventLoop::wait(int timeout) {
  epoll_event events[8];
  const int count = ::epoll_wait(epoll_.get(), events, 8, timeout);
  for (int i = 0; i < count; ++i) static_cast<Pollable*>(events[i].data.ptr)->ready();
  return count != 0;  // a signal is no silence either
}

}  // namespace mooring
