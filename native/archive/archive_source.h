// A tar archive whose bytes come from somewhere.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <memory>

#include "archive/byte_source.h"
#include "archive/layer_writer.h"
#include "runtime/result.h"

namespace mooring {

/// Standard input as it is.
class StandardInput : public ByteSource {
 public:
  Result<std::string_view> next() override;

 private:
  static constexpr size_t kReadBytes = 256 * 1024;
  char bytes_[kReadBytes];
};

/// To be made before the process is shut in: what libarchive looks up on the host at its start is out of reach afterwards.
class ArchiveSource {
 public:
  /// An archive that is longer than so many bytes is refused.
  ArchiveSource(ByteSource& from, uint64_t most);

  /// Writes all of it into the working directory.
  Result<Tally> unpack(const Bounds& bounds, const Placement& placement);

 private:
  struct Input {
    ByteSource& from;
    uint64_t most;
    uint64_t taken = 0;
  };

  static la_ssize_t read_some(archive* source, void* state, const void** data);
  Status each(LayerWriter& writer);
  Status drain();

  std::unique_ptr<archive, decltype(&archive_read_free)> reader_;
  Input input_;
};

}  // namespace mooring
