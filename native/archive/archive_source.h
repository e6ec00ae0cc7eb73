// The archive on standard input.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <memory>

#include "archive/layer_writer.h"
#include "runtime/result.h"

namespace mooring {

/// To be made before the process is shut in: what libarchive looks up on the host at its start is out of reach afterwards.
class ArchiveSource {
 public:
  /// An archive that is longer than so many bytes is refused.
  explicit ArchiveSource(uint64_t most);

  /// Writes all of it into the working directory.
  Result<Tally> unpack(const Bounds& bounds, const Placement& placement);

 private:
  static constexpr size_t kReadBytes = 256 * 1024;

  struct Input {
    uint64_t taken = 0;
    uint64_t most = 0;
    char bytes[kReadBytes];
  };

  static la_ssize_t read_some(archive* source, void* state, const void** data);
  Status each(LayerWriter& writer);
  Status drain();

  std::unique_ptr<archive, decltype(&archive_read_free)> reader_;
  std::unique_ptr<Input> input_;
};

}  // namespace mooring
