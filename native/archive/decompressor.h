// What a stranger sent, without its compression.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "runtime/result.h"

namespace mooring {

class Decompressor {
 public:
  virtual ~Decompressor() = default;
  /// At most `size` bytes of content; 0 at its end. An error whose code is 0 is the sender's fault.
  virtual Result<size_t> read(char* to, size_t size) = 0;
};

/// Reads the descriptor `in` to its end. With `growth`, that is a file which still grows: whenever it has been read to its end, one reads on once something comes
/// on this other descriptor, until that ends.
/// How it is compressed (gzip in one or several members, zstd in one or several frames, or not at all) is told from its
/// first bytes: what a manifest calls it is not to be trusted.
Result<std::unique_ptr<Decompressor>> decompress(int in, int growth = -1);

}  // namespace mooring
