#include "archive/archive_source.h"

#include <unistd.h>

namespace mooring {

ArchiveSource::ArchiveSource(uint64_t most) : reader_(archive_read_new(), archive_read_free), input_(std::make_unique<Input>()) { input_->most = most; }

/// libarchive's read callback. The archive's own length is bounded, too, since a name or a header takes no disk.
la_ssize_t ArchiveSource::read_some(archive* source, void* state, const void** data) {
  auto& from = *static_cast<Input*>(state);
  ssize_t count = 0;
  do count = ::read(STDIN_FILENO, from.bytes, sizeof from.bytes);
  while (count < 0 && errno == EINTR);
  *data = from.bytes;
  if (count < 0) archive_set_error(source, errno, "read the archive");
  from.taken += count > 0 ? static_cast<uint64_t>(count) : 0;
  if (from.taken > from.most) {
    archive_set_error(source, EFBIG, "the archive is longer than %llu bytes", static_cast<unsigned long long>(from.most));
    return -1;
  }
  return count;
}

Result<Tally> ArchiveSource::unpack(const Bounds& bounds, const Placement& placement) {
  if (archive_read_support_format_tar(reader_.get()) != ARCHIVE_OK || archive_read_open(reader_.get(), input_.get(), nullptr, read_some, nullptr) != ARCHIVE_OK)
    return Error{archive_error_string(reader_.get())};
  LayerWriter writer(reader_.get(), bounds, placement);
  MOORING_TRY(each(writer));
  MOORING_TRY(drain());
  return writer.tally();
}

Status ArchiveSource::each(LayerWriter& writer) {
  for (;;) {
    archive_entry* entry = nullptr;
    const int outcome = archive_read_next_header(reader_.get(), &entry);
    if (outcome == ARCHIVE_EOF) break;
    if (outcome < ARCHIVE_WARN) return Error{archive_error_string(reader_.get())};
    if (const auto put = writer.put(entry); !put) {
      const char* name = archive_entry_pathname(entry);
      return Error{"entry \"" + std::string(name == nullptr ? "" : name) + "\": " + put.error().message, put.error().code};
    }
  }
  return writer.finish();
}

/// What follows the archive's end is part of a layer's digest, so whoever writes it must not find the pipe broken.
Status ArchiveSource::drain() {
  const void* data = nullptr;
  la_ssize_t count = 0;
  do count = read_some(reader_.get(), input_.get(), &data);
  while (count > 0);
  if (count < 0) return Error{archive_error_string(reader_.get())};
  return ok();
}

}  // namespace mooring
