#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive_source.h"
#include "archive/commands.h"
#include "archive/container_tree.h"
#include "archive/entry_path.h"
#include "archive/file_listing.h"
#include "archive/paths_in_root.h"
#include "archive/tree_packer.h"
#include "archive/tree_walk.h"
#include "runtime/unique_fd.h"

namespace mooring {

namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr size_t kPieceBytes = 256 * 1024;

/// The process's root is the container's: its links lead nowhere else. What is something else than was asked for is the caller's mistake; that there is
/// nothing has an errno of its own.
Error at(const std::string& path, const std::string& what) {
  const bool nothing = errno == ENOENT;
  Error error = archive_fault(what);
  error.message = path + ": " + error.message;
  if (nothing) error.code = ENOENT;
  return error;
}

/// A folder and the name in it that a path means; the last name itself is not followed, unless a slash behind it asks for that.
struct Place {
  UniqueFd folder;
  std::string name;
  struct stat status;
};

Result<Place> find(const std::string& path) {
  std::string_view rest = path;
  // "x/" and "x/." mean what x leads to.
  while (rest.ends_with('/') || rest.ends_with("/.")) rest.remove_suffix(1);
  const bool inside = rest.size() != path.size();
  const size_t slash = rest.rfind('/');
  const std::string folder(inside ? path : "/" + std::string(rest.substr(0, slash == std::string_view::npos ? 0 : slash)));
  Place place{UniqueFd(::open(folder.c_str(), kFolder)), std::string(inside ? "." : rest.substr(slash == std::string_view::npos ? 0 : slash + 1)), {}};
  if (!place.folder || ::fstatat(place.folder.get(), place.name.c_str(), &place.status, AT_SYMLINK_NOFOLLOW) != 0) return at(path, "look for it");
  return place;
}

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
  const std::string& path = arguments.words()[0];
  const auto place = find(path);
  if (!place) return place.error();
  TarWriter tar(STDOUT_FILENO);
  TreePacker packer(tar, {.name = arguments.words()[1]});
  if (S_ISDIR(place->status.st_mode)) {
    const UniqueFd folder(::openat(place->folder.get(), place->name.c_str(), kFolder | O_NOFOLLOW));
    if (!folder) return at(path, "open it");
    MOORING_TRY(walk_tree({.top = folder.get()}, packer));
  } else {
    if (::fchdir(place->folder.get()) != 0) return sys_error("enter the folder of " + path);
    MOORING_TRY(packer.enter({"", place->name, place->status, false, {}, -1}));
  }
  MOORING_TRY(tar.finish());
  tell(report, packer.tally());
  return ok();
}

Status put(const Arguments& arguments, JsonObject& report) {
  StandardInput input;
  ArchiveSource source(input, UINT64_MAX);
  MOORING_TRY(enter_container(arguments, Access::kWrite, true));
  const std::string& path = arguments.words()[0];
  if (::chdir(path.c_str()) != 0) return at(path, "open it as a folder");
  const bool keeps_owners = arguments.last("owners") == "archive";
  const auto tally = source.unpack({UINT64_MAX, UINT64_MAX, UINT64_MAX, 2048}, {.layer = false, .keeps_kinds = true, .to_root = !keeps_owners});
  if (!tally) return tally.error();
  report.number("entries", static_cast<long long>(tally->entries)).number("bytes", static_cast<long long>(tally->bytes));
  return ok();
}

Status export_tree(const Arguments& arguments, JsonObject& report) {
  MOORING_TRY(enter_container(arguments, Access::kRead, false));
  const UniqueFd root(::open("/", kFolder));
  if (!root) return sys_error("open the container's root");
  TarWriter tar(STDOUT_FILENO);
  TreePacker packer(tar, {});
  MOORING_TRY(walk_tree({.top = root.get()}, packer));
  MOORING_TRY(tar.finish());
  tell(report, packer.tally());
  return ok();
}

}  // namespace mooring
