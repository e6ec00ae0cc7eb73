#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <memory>

#include "archive/commands.h"
#include "archive/confine.h"
#include "archive/layer_writer.h"

namespace mooring {

namespace {

constexpr size_t kReadBytes = 256 * 1024;

struct Source {
  uint64_t taken = 0;
  uint64_t most = 0;
  char bytes[kReadBytes];
};

/// libarchive's read callback. The archive's own length is bounded, too, since a name or a header takes no disk.
la_ssize_t read_some(archive* source, void* state, const void** data) {
  auto& from = *static_cast<Source*>(state);
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

Status unpack_all(archive* reader, LayerWriter& writer) {
  for (;;) {
    archive_entry* entry = nullptr;
    const int outcome = archive_read_next_header(reader, &entry);
    if (outcome == ARCHIVE_EOF) break;
    if (outcome < ARCHIVE_WARN) return Error{archive_error_string(reader)};
    if (const auto put = writer.put(entry); !put) {
      const char* name = archive_entry_pathname(entry);
      return Error{"entry \"" + std::string(name == nullptr ? "" : name) + "\": " + put.error().message, put.error().code};
    }
  }
  return writer.finish();
}

/// What follows the archive's end is part of the layer's digest, so whoever writes it must not find the pipe broken.
Status drain(archive* reader, Source& source) {
  const void* data = nullptr;
  la_ssize_t count = 0;
  do count = read_some(reader, &source, &data);
  while (count > 0);
  if (count < 0) return Error{archive_error_string(reader)};
  return ok();
}

}  // namespace

Status unpack(const Arguments& arguments, JsonObject& report) {
  Bounds bounds;
  uint64_t* const values[] = {&bounds.bytes, &bounds.entries, &bounds.file_bytes, &bounds.depth};
  for (size_t at = 0; at < std::size(values); ++at) {
    const auto value = number(arguments.words()[at + 1]);
    if (!value) return Error{"\"" + arguments.words()[at + 1] + "\" is no number", EINVAL};
    *values[at] = *value;
  }
  // The reader is made first: what libarchive looks up on the host at its start is out of reach afterwards.
  const std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(), archive_read_free);
  const auto source = std::make_unique<Source>();
  source->most = bounds.bytes;
  MOORING_TRY(leave_host());
  const auto root = mount_alone(arguments.words()[0], Access::kWrite);
  if (!root) return root.error();
  MOORING_TRY(confine(root->get(), Access::kWrite, bounds.file_bytes));
  if (archive_read_support_format_tar(reader.get()) != ARCHIVE_OK || archive_read_open(reader.get(), source.get(), nullptr, read_some, nullptr) != ARCHIVE_OK)
    return Error{archive_error_string(reader.get())};
  LayerWriter writer(reader.get(), bounds);
  MOORING_TRY(unpack_all(reader.get(), writer));
  MOORING_TRY(drain(reader.get(), *source));
  const Tally& tally = writer.tally();
  report.number("entries", static_cast<long long>(tally.entries)).number("bytes", static_cast<long long>(tally.bytes)).number("ignoredAttributes", static_cast<long long>(tally.ignored_attributes));
  return ok();
}

}  // namespace mooring
