// `mooring-archive`: unpacks the tar archive of one image layer from standard input into a folder that it can't leave, and says on
// standard output, as one line of JSON, how that went: {"entries":…} or {"error":…}.
#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <memory>
#include <string_view>

#include "archive/confine.h"
#include "archive/layer_writer.h"
#include "monitor/json_text.h"

namespace mooring {

namespace {

constexpr size_t kReadBytes = 256 * 1024;
constexpr int kBadUsage = 2;

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

Status unpack(const char* folder, const Bounds& bounds, Tally& tally) {
  // The reader is made first: what libarchive looks up on the host at its start is out of reach afterwards.
  const std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(), archive_read_free);
  const auto source = std::make_unique<Source>();
  source->most = bounds.bytes;
  MOORING_TRY(confine(folder, bounds.file_bytes));
  if (archive_read_support_format_tar(reader.get()) != ARCHIVE_OK || archive_read_open(reader.get(), source.get(), nullptr, read_some, nullptr) != ARCHIVE_OK)
    return Error{archive_error_string(reader.get())};
  LayerWriter writer(reader.get(), bounds);
  MOORING_TRY(unpack_all(reader.get(), writer));
  MOORING_TRY(drain(reader.get(), *source));
  tally = writer.tally();
  return ok();
}

bool number(const char* text, uint64_t& value) {
  const std::string_view view(text);
  const auto [end, failure] = std::from_chars(view.data(), view.data() + view.size(), value);
  return failure == std::errc() && end == view.data() + view.size();
}

}  // namespace

}  // namespace mooring

int main(int argc, char** argv) {
  using namespace mooring;
  Bounds bounds;
  if (argc != 7 || std::string_view(argv[1]) != "unpack" || !number(argv[3], bounds.bytes) || !number(argv[4], bounds.entries) || !number(argv[5], bounds.file_bytes) || !number(argv[6], bounds.depth)) {
    std::fputs("usage: mooring-archive unpack FOLDER MAX_BYTES MAX_ENTRIES MAX_FILE_BYTES MAX_DEPTH < ARCHIVE\n", stderr);
    return kBadUsage;
  }
  Tally tally;
  const auto done = unpack(argv[2], bounds, tally);
  JsonObject report;
  if (done)
    report.number("entries", static_cast<long long>(tally.entries)).number("bytes", static_cast<long long>(tally.bytes)).number("ignoredAttributes", static_cast<long long>(tally.ignored_attributes));
  else
    report.text("error", done.error().message).boolean("archiveFault", done.error().code == 0);
  const std::string line = report.str() + "\n";
  return ::write(STDOUT_FILENO, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && done ? 0 : 1;
}
