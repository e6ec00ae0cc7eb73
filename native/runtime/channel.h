// How the two processes that make a container tell the caller of launch(): one packet a message, end of file once both are done with it.
#pragma once

#include <sys/types.h>

#include <string>

#include "result.h"
#include "unique_fd.h"

namespace mooring {

enum class Message : char {
  started = 'S',  // from the builder: `number` is the pid, `text` the memory cgroup, `fd` the pidfd
  standing = 'B', // from a sandbox's process: it waits for its order
  stream = 'D',   // to it: `fd` is what its descriptor `number` is to be
  order = 'O',    // to it: `text` is the container's id, a newline, the bundle; `number` is 1 when it dies with the caller
  console = 'C',  // from init: `fd` is the pty's master
  ready = 'R',    // from init: the next step is execve
  warning = 'W',  // from either: `text` says what could not be done as asked, and is no reason to fail
  failed = 'F',   // from either: `number` is the errno, `text` the error
};

struct Packet {
  Message kind = Message::failed;
  int number = 0;
  std::string text;
  UniqueFd fd;
};

/// Sends one packet; `fd` may be -1. Uses write(2) alone where no descriptor goes along, which a container's seccomp filter lets pass.
Status send_packet(int socket, Message kind, int number = 0, const std::string& text = {}, int fd = -1);

/// Error with code 0 at the end of the stream.
Result<Packet> receive_packet(int socket);

}  // namespace mooring
