// A log that never holds the container up: a thread of its own writes it, and what comes while that is behind is dropped and counted.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "monitor/log_writer.h"

namespace mooring {

class LogQueue final : public LogSink {
 public:
  static Result<std::unique_ptr<LogQueue>> create(std::unique_ptr<LogWriter> writer);
  LogQueue(const LogQueue&) = delete;
  ~LogQueue() override { finish(); }

  void begin(Stream stream, const timespec& time) override;
  void append(const Piece& piece) override;
  void flush() override;
  LogLoss loss() const override;
  int rest() override { return -1; }  // the thread does
  void finish() override;

  /// What may wait to be written while as much is being written.
  static constexpr size_t kMost = 1 << 20;

 private:
  /// In front of each text: a piece, or, without a text, word of what was dropped here.
  struct Head {
    timespec time;
    size_t length;
    Stream stream;
    bool complete;
    LogLoss dropped;
  };
  struct Batch {
    PageBuffer bytes;
    size_t used = 0;
  };

  LogQueue(std::unique_ptr<LogWriter> writer, PageBuffer one, PageBuffer other) : writer_(std::move(writer)), filling_{std::move(one)}, writing_{std::move(other)} {}
  bool push(const Head& head, std::string_view text);
  void run();
  void write_out();

  const std::unique_ptr<LogWriter> writer_;  // the thread's, but for its loss()
  std::thread thread_;                       // from the first flush on: nothing is forked from then on

  Stream stream_ = Stream::kStdout;
  timespec time_{};
  LogLoss untold_;  // dropped since something went into the queue
  LogLoss lost_;

  std::mutex mutex_;
  std::condition_variable changed_;
  Batch filling_;  // under the mutex
  Batch writing_;  // the thread's
  bool finishing_ = false;
};

}  // namespace mooring
