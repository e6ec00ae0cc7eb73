#include "addon/event_thread.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace mooring {
namespace {

/// Ready once for each time that it is rung; after `last` of these it is done.
class Bell : public Source {
 public:
  explicit Bell(int last) : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)), last_(last) {}
  int fd() const override { return event_.get(); }
  uint32_t interest() const override { return EPOLLIN; }
  Verdict ready() override {
    eventfd_t count;
    if (::eventfd_read(event_.get(), &count) != 0) return {};
    return {.tell = true, .done = ++heard_ == last_};
  }
  void ring() const { ::eventfd_write(event_.get(), 1); }
  int heard() const { return heard_; }

 private:
  const UniqueFd event_;
  const int last_;
  std::atomic<int> heard_ = 0;
};

/// What the environment's side of the thread is: woken, it takes what it was told.
class Environment {
 public:
  Environment() : woken_(::eventfd(0, EFD_CLOEXEC)) {
    auto started = EventThread::start([](void* self) { ::eventfd_write(static_cast<Environment*>(self)->woken_.get(), 1); }, this);
    REQUIRE(started);
    thread = std::move(*started);
  }
  /// Empty when nothing was told for a while.
  std::vector<SourceId> wait() const {
    pollfd state{woken_.get(), POLLIN, 0};
    if (::poll(&state, 1, 20'000) <= 0) return {};
    eventfd_t count;
    ::eventfd_read(woken_.get(), &count);
    return thread->take_told();
  }

 private:
  const UniqueFd woken_;

 public:
  std::unique_ptr<EventThread> thread;  // ends first
};

TEST_CASE("every source that has rung is told of, while others come and go") {
  constexpr int kSources = 200, kRings = 20;
  Environment environment;
  std::vector<std::shared_ptr<Bell>> bells;
  std::set<SourceId> waiting;
  for (int i = 0; i < kSources; ++i) {
    bells.push_back(std::make_shared<Bell>(kRings));
    const auto id = environment.thread->add(bells.back());
    REQUIRE(id);
    waiting.insert(*id);
  }
  std::vector<std::thread> ringers;
  for (int part = 0; part < 2; ++part)
    ringers.emplace_back([&, part] {
      for (int round = 0; round < kRings; ++round)
        for (int i = part; i < kSources; i += 2) bells[static_cast<size_t>(i)]->ring();
    });
  for (int i = 0; i < 500; ++i) {
    const auto passing = std::make_shared<Bell>(1);
    const auto id = environment.thread->add(passing);
    REQUIRE(id);
    if (i % 2 == 0) passing->ring();
    environment.thread->remove(*id);
  }
  for (std::thread& ringer : ringers) ringer.join();
  const auto all_heard = [&] {
    for (const auto& bell : bells)
      if (bell->heard() < kRings) return false;
    return true;
  };
  while (!waiting.empty() || !all_heard()) {
    const auto told = environment.wait();
    if (told.empty() && !all_heard()) continue;
    for (const SourceId id : told) waiting.erase(id);
    if (told.empty()) break;
  }
  CHECK(waiting.empty());
  CHECK(all_heard());
}

TEST_CASE("a thread ends with sources that are still followed") {
  for (int round = 0; round < 50; ++round) {
    Environment environment;
    const auto bell = std::make_shared<Bell>(1000);
    REQUIRE(environment.thread->add(bell));
    std::thread ringer([&] {
      for (int i = 0; i < 100; ++i) bell->ring();
    });
    environment.thread.reset();
    ringer.join();
  }
}

}  // namespace
}  // namespace mooring
