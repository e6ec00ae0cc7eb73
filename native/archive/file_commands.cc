#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive_source.h"
#include "archive/commands.h"
#include "archive/container_tree.h"
#include "archive/entry_path.h"
#include "archive/file_listing.h"
#include "archive/path_archive.h"
#include "archive/place.h"
#include "archive/tree_packer.h"
#include "archive/tree_walk.h"
#include "runtime/unique_fd.h"

namespace mooring {

namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr size_t kPieceBytes = 256 * 1024;

/// A regular file, links followed. Neither a device nor a pipe is ever waited for.
Result<UniqueFd> open_file(const std::string& path, int flags) {
  UniqueFd file(::open(path.c_str(), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644));
  if (!file) return at(path, "open it");
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return sys_error("look at " + path);
  if (!S_ISREG(status.st_mode)) return Error{path + ": it is no regular file"};
  return file;
}

Status pump(int from, int to) {
  std::string piece(kPieceBytes, '\0');
  for (;;) {
    const ssize_t count = ::read(from, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sys_error("read");
    if (count == 0) return ok();
    MOORING_TRY(write_all(to, {piece.data(), static_cast<size_t>(count)}));
  }
}

void tell(JsonObject& report, const PackTally& tally) {
  report.number("entries", static_cast<long long>(tally.entries)).number("bytes", static_cast<long long>(tally.bytes));
}

}  // namespace

Status stat_path(const Arguments& arguments, JsonObject&) {
  MOORING_TRY(enter_container(arguments, Access::kRead, true));
  const auto place = find(arguments.words()[0]);
  if (!place) return place.error();
  return write_all(STDOUT_FILENO, file_line(place->folder.get(), place->name, place->status));
}

Status list(const Arguments& arguments, JsonObject& report) {
  MOORING_TRY(enter_container(arguments, Access::kRead, true));
  const std::string& path = arguments.words()[0];
  const UniqueFd folder(::open(path.c_str(), kFolder));
  if (!folder && errno == ENOTDIR) {
    const auto place = find(path);
    if (!place) return place.error();
    return write_all(STDOUT_FILENO, file_line(place->folder.get(), place->name, place->status));
  }
  if (!folder) return at(path, "open it");
  const auto names = names_in(folder.get());
  if (!names) return names.error();
  std::string lines;
  for (const std::string& name : *names) {
    struct stat status;
    if (::fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) lines += file_line(folder.get(), name, status);
    if (lines.size() < kPieceBytes) continue;
    MOORING_TRY(write_all(STDOUT_FILENO, lines));
    lines.clear();
  }
  report.number("entries", static_cast<long long>(names->size()));
  return write_all(STDOUT_FILENO, lines);
}

Status cat(const Arguments& arguments, JsonObject&) {
  MOORING_TRY(enter_container(arguments, Access::kRead, true));
  const auto file = open_file(arguments.words()[0], O_RDONLY);
  if (!file) return file.error();
  return pump(file->get(), STDOUT_FILENO);
}

Status write_file(const Arguments& arguments, JsonObject&) {
  MOORING_TRY(enter_container(arguments, Access::kWrite, true));
  const auto file = open_file(arguments.words()[0], O_WRONLY | O_CREAT);
  if (!file) return file.error();
  if (::ftruncate(file->get(), 0) != 0) return at(arguments.words()[0], "empty it");
  return pump(STDIN_FILENO, file->get());
}

Status get(const Arguments& arguments, JsonObject& report) {
  MOORING_TRY(enter_container(arguments, Access::kRead, true));
  const auto tally = pack_path(arguments.words()[0], arguments.words()[1], STDOUT_FILENO);
  if (!tally) return tally.error();
  tell(report, *tally);
  return ok();
}

Status put(const Arguments& arguments, JsonObject& report) {
  StandardInput input;
  ArchiveSource source(input, UINT64_MAX);
  MOORING_TRY(enter_container(arguments, Access::kWrite, true));
  const auto tally = unpack_into(arguments.words()[0], source, arguments.last("owners") == "archive" ? Owners::kArchive : Owners::kRoot);
  if (!tally) return tally.error();
  report.number("entries", static_cast<long long>(tally->entries)).number("bytes", static_cast<long long>(tally->bytes));
  return ok();
}

Status export_tree(const Arguments& arguments, JsonObject& report) {
  MOORING_TRY(enter_container(arguments, Access::kRead, false));
  const UniqueFd root(::open("/", kFolder));
  if (!root) return sys_error("open the container's root");
  TarWriter tar({.out = STDOUT_FILENO});
  TreePacker packer(tar, {});
  MOORING_TRY(walk_tree({.top = root.get()}, packer));
  MOORING_TRY(tar.finish());
  tell(report, packer.tally());
  return ok();
}

}  // namespace mooring
