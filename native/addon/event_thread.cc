#include "addon/event_thread.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

namespace mooring {

namespace {

constexpr SourceId kStop = 0;
constexpr int kBatch = 64;

bool epoll_add(int epoll, int fd, uint32_t interest, SourceId id) {
  epoll_event event{};
  event.events = interest;
  event.data.u64 = id;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

Result<std::unique_ptr<EventThread>> EventThread::start(Wake wake, void* context) {
  std::unique_ptr<EventThread> self(new EventThread(wake, context));
  self->epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!self->epoll_) return sys_error("epoll_create1");
  self->stop_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!self->stop_) return sys_error("eventfd");
  if (!epoll_add(self->epoll_.get(), self->stop_.get(), EPOLLIN, kStop)) return sys_error("epoll_ctl ADD the stop eventfd");

  // Signals are for the main thread's handlers.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failure = ::pthread_create(&self->thread_, nullptr, run, self.get());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failure != 0) {
    errno = failure;
    return sys_error("pthread_create");
  }
  self->running_ = true;
  ::pthread_setname_np(self->thread_, "mooring-events");
  return self;
}

EventThread::~EventThread() {
  if (!running_) return;
  ::eventfd_write(stop_.get(), 1);
  ::pthread_join(thread_, nullptr);
}

Result<SourceId> EventThread::add(std::shared_ptr<Source> source) {
  const std::lock_guard lock(mutex_);
  const SourceId id = next_id_++;
  if (!epoll_add(epoll_.get(), source->fd(), source->interest(), id)) return sys_error("epoll_ctl ADD");
  entries_.emplace(id, Entry{std::move(source)});
  return id;
}

void EventThread::remove(SourceId id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.source->fd(), nullptr);
  entries_.erase(found);
}

std::vector<SourceId> EventThread::take_told() {
  const std::lock_guard lock(mutex_);
  for (const SourceId id : told_)
    if (const auto found = entries_.find(id); found != entries_.end()) found->second.told = false;
  return std::exchange(told_, {});
}

void* EventThread::run(void* self) {
  static_cast<EventThread*>(self)->loop();
  return nullptr;
}

void EventThread::loop() {
  for (;;) {
    epoll_event events[kBatch];
    const int count = ::epoll_wait(epoll_.get(), events, kBatch, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kStop) return;
      handle(events[i].data.u64);
    }
  }
}

void EventThread::handle(SourceId id) {
  std::shared_ptr<Source> source;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;  // removed while its event was on the way
    source = found->second.source;
  }
  Source::Verdict verdict = source->ready();
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    if (verdict.next || verdict.done) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, source->fd(), nullptr);
    if (verdict.next) {
      source->advance();
      // Out of memory for one more entry: let the environment hear that this source is lost, rather than wait for ever.
      if (!epoll_add(epoll_.get(), source->fd(), source->interest(), id)) verdict = {.tell = true, .done = true};
    }
    if (verdict.tell && !found->second.told) {
      found->second.told = true;
      wake = told_.empty();
      told_.push_back(id);
    }
    if (verdict.done) entries_.erase(found);
  }
  if (wake) wake_(context_);
}

}  // namespace mooring
