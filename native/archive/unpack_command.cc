#include "archive/archive_source.h"
#include "archive/commands.h"
#include "archive/confine.h"
#include "archive/layer_stream.h"

namespace mooring {

namespace {
/// Where a word comes whenever standard input, a file, has grown.
constexpr int kGrowth = 3;
}  // namespace

Status unpack(const Arguments& arguments, JsonObject& report) {
  Bounds bounds;
  uint64_t* const values[] = {&bounds.bytes, &bounds.entries, &bounds.file_bytes, &bounds.depth};
  for (size_t at = 0; at < std::size(values); ++at) {
    const auto value = number(arguments.words()[at + 1]);
    if (!value) return Error{"\"" + arguments.words()[at + 1] + "\" is no number", EINVAL};
    *values[at] = *value;
  }
  LayerStream stream(arguments.last("growth") ? kGrowth : -1);
  ArchiveSource source(stream, bounds.bytes);
  MOORING_TRY(leave_host());
  const auto root = mount_alone(arguments.words()[0], Access::kWrite);
  if (!root) return root.error();
  MOORING_TRY(confine(root->get(), Access::kWrite, bounds.file_bytes, [&] { return stream.start(); }));
  const auto tally = source.unpack(bounds, {});
  if (!tally) return tally.error();
  const auto measure = stream.measure();
  report.text("digest", measure.digest).number("size", static_cast<long long>(measure.size));
  report.number("entries", static_cast<long long>(tally->entries)).number("bytes", static_cast<long long>(tally->bytes)).number("ignoredAttributes", static_cast<long long>(tally->ignored_attributes));
  return ok();
}

}  // namespace mooring
