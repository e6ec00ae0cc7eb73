#include "monitor/status_pipe.h"

#include "monitor/durable_file.h"

namespace mooring {

void StatusPipe::tell_standing() {
  JsonObject event;
  (void)write_all(fd_.get(), event.text("event", "standing").str() + "\n");  // EPIPE: see the class
}

void StatusPipe::tell_started(const ProcessIdentity& init, const ProcessIdentity& monitor) {
  JsonObject event, identity;
  event.text("event", "started");
  add_identity(event, init).object("monitor", add_identity(identity, monitor));
  tell_last(event);
}

void StatusPipe::tell_failed(const Error& error) {
  JsonObject event;
  tell_last(event.text("event", "failed").text("message", error.message).number("errno", error.code));
}

void StatusPipe::tell_last(const JsonObject& event) {
  (void)write_all(fd_.get(), event.str() + "\n");  // EPIPE: see the class
  fd_.reset();
}

}  // namespace mooring
