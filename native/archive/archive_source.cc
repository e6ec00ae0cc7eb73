#include "archive/archive_source.h"

#include <unistd.h>

namespace mooring {

Result<std::string_view> StandardInput::next() {
  ssize_t count = 0;
  do count = ::read(STDIN_FILENO, bytes_, sizeof bytes_);
  while (count < 0 && errno == EINTR);
  if (count < 0) return sys_error("read the archive");
  return std::string_view(bytes_, static_cast<size_t>(count));
}

ArchiveSource::ArchiveSource(ByteSource& from, uint64_t most) : reader_(archive_read_new(), archive_read_free), input_{from, most} {}

/// libarchive's read callback. The archive's own length is bounded, too, since a name or a header takes no disk.
la_ssize_t ArchiveSource::read_some(archive* source, void* state, const void** data) {
  auto& input = *static_cast<Input*>(state);
  const auto bytes = input.from.next();
  if (!bytes) {
    archive_set_error(source, bytes.error().code == 0 ? EILSEQ : bytes.error().code, "%s", bytes.error().message.c_str());
    return -1;
  }
  input.taken += bytes->size();
  if (input.taken > input.most) {
    archive_set_error(source, EFBIG, "the archive is longer than %llu bytes", static_cast<unsigned long long>(input.most));
    return -1;
  }
  *data = bytes->data();
  return static_cast<la_ssize_t>(bytes->size());
}

Result<Tally> ArchiveSource::unpack(const Bounds& bounds, const Placement& placement) {
  if (archive_read_support_format_tar(reader_.get()) != ARCHIVE_OK || archive_read_open(reader_.get(), &input_, nullptr, read_some, nullptr) != ARCHIVE_OK)
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
  do count = read_some(reader_.get(), &input_, &data);
  while (count > 0);
  if (count < 0) return Error{archive_error_string(reader_.get())};
  return ok();
}

}  // namespace mooring
