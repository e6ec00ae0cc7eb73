// The blob of a layer on standard input, as the archive that it is without its compression. One thread decompresses and another hashes, while whoever asks for the
// bytes works on them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "archive/byte_source.h"

namespace mooring {

class LayerStream : public ByteSource {
 public:
  /// `growth` as decompressor.h has it.
  explicit LayerStream(int growth);
  ~LayerStream() override;

  /// Starts the threads, which then have all the rights of the one that calls this, and no more.
  Status start();

  Result<std::string_view> next() override;

  struct Measure {
    std::string digest;  // SHA-256, hexadecimal
    uint64_t size;
  };
  /// Of all that came, once next() has come to the end.
  Measure measure();

 private:
  struct Shared;
  /// The threads' own, too: they may outlive this, and end with the process.
  std::shared_ptr<Shared> shared_;
};

}  // namespace mooring
