// Where the bytes of an archive come from.
#pragma once

#include <string_view>

#include "runtime/result.h"

namespace mooring {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// The next bytes, which stay until the next call; none at the end.
  virtual Result<std::string_view> next() = 0;
};

}  // namespace mooring
