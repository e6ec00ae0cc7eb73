// A pipe's two ends.
#pragma once

#include <fcntl.h>

#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

inline Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return sys_error("pipe2");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace mooring
