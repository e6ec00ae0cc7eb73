#include "archive/tree_packer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "archive/entry_path.h"
#include "archive/overlay_attributes.h"
#include "runtime/unique_fd.h"

namespace mooring {

namespace {

constexpr std::string_view kWhiteoutPrefix = ".wh.";
constexpr const char* kOpaqueMark = "/.wh..wh..opq";
constexpr uint64_t kStatBlock = 512;

struct Extent {
  uint64_t offset;
  uint64_t size;
};

/// Where a file has content (lseek(2), SEEK_DATA).
Result<std::vector<Extent>> extents_of(int file, uint64_t size) {
  std::vector<Extent> extents;
  for (uint64_t at = 0; at < size;) {
    const off_t data = ::lseek(file, static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;
    if (data < 0) return sys_error("look for its content");
    if (static_cast<uint64_t>(data) >= size) break;
    const off_t hole = ::lseek(file, data, SEEK_HOLE);
    if (hole < 0) return sys_error("look for its holes");
    const uint64_t end = std::min(static_cast<uint64_t>(hole), size);
    extents.push_back({static_cast<uint64_t>(data), end - static_cast<uint64_t>(data)});
    at = end;
  }
  return extents;
}

std::string in_folder(std::string_view folder, const std::string& name) { return folder.empty() ? name : std::string(folder) + "/" + name; }

Error at_path(const std::string& path, Error error) {
  error.message = "\"" + path + "\": " + error.message;
  return error;
}

}  // namespace

Status TreePacker::enter(const TreeEntry& entry) {
  std::string path = packing_.name;
  if (!entry.path.empty()) path += (path.empty() ? "" : "/") + entry.path;
  if (path.empty()) return ok();
  if (auto packed = pack(entry, path); !packed) return at_path(path, packed.error());
  return ok();
}

TarHeader TreePacker::header_of(const TreeEntry& entry, const std::string& path) const {
  const struct stat& status = entry.status;
  TarHeader header{.path = path, .mode = status.st_mode & 07777, .uid = status.st_uid, .gid = status.st_gid, .mtime = status.st_mtim};
  if (packing_.latest && header.mtime.tv_sec >= *packing_.latest) header.mtime = {*packing_.latest, 0};
  return header;
}

Status TreePacker::pack(const TreeEntry& entry, const std::string& path) {
  const struct stat& status = entry.status;
  if (S_ISSOCK(status.st_mode)) return ok();  // of which an archive has no notion
  if (packing_.layer) {
    if (is_whiteout(status)) return pack_mark(in_folder(folder_of(path), std::string(kWhiteoutPrefix) + entry.name));
    if (base_of(path).starts_with(kWhiteoutPrefix)) return Error{"its name begins with \".wh.\", which in a layer means that something is deleted"};
    MOORING_TRY(require_whole(entry.name));
  }
  TarHeader header = header_of(entry, path);
  auto attributes = kept_attributes(entry.name);
  if (!attributes) return attributes.error();
  for (auto& [name, value] : *attributes) header.records.emplace("SCHILY.xattr." + name, std::move(value));

  if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
    const auto first = linked_.find({status.st_dev, status.st_ino});
    if (first != linked_.end()) {
      header.type = '1';
      header.link = first->second;
      header.records.clear();  // the first name has them
      return begin(status, path, header);
    }
  }
  if (S_ISREG(status.st_mode)) return pack_file(entry, std::move(header));
  if (S_ISDIR(status.st_mode)) {
    header.type = '5';
    header.path += '/';
  } else if (S_ISLNK(status.st_mode)) {
    header.type = '2';
    header.link.resize(static_cast<size_t>(status.st_size) + 1);
    const ssize_t size = ::readlink(entry.name.c_str(), header.link.data(), header.link.size());
    if (size < 0 && errno == ENOENT) return ok();
    if (size < 0) return sys_error("read the link");
    header.link.resize(static_cast<size_t>(size));
  } else if (S_ISFIFO(status.st_mode)) {
    header.type = '6';
  } else {
    header.type = S_ISCHR(status.st_mode) ? '3' : '4';
    header.device = status.st_rdev;
  }
  MOORING_TRY(begin(status, path, header));
  if (packing_.layer && S_ISDIR(status.st_mode) && is_opaque(entry.name)) return pack_mark(path + kOpaqueMark);
  return ok();
}

Status TreePacker::begin(const struct stat& status, const std::string& path, const TarHeader& header) {
  ++tally_.entries;
  if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) linked_.try_emplace({status.st_dev, status.st_ino}, path);
  return tar_.begin(header);
}

Status TreePacker::pack_file(const TreeEntry& entry, TarHeader header) {
  // Somebody may have put something else there meanwhile, so it is neither waited for nor trusted to be what it was.
  const UniqueFd file(::open(entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file && (errno == ENOENT || errno == ELOOP)) return ok();
  if (!file) return sys_error("open it");
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return sys_error("look at it");
  if (!S_ISREG(status.st_mode)) return ok();
  header.size = static_cast<uint64_t>(status.st_size);
  if (packing_.layer && static_cast<uint64_t>(status.st_blocks) * kStatBlock < header.size) return pack_sparse(file.get(), status, std::move(header));
  tally_.bytes += header.size;
  MOORING_TRY(begin(status, header.path, header));
  MOORING_TRY(tar_.content_of(file.get(), 0, header.size));
  return tar_.end();
}

/// GNU tar's sparse format 1.0 in pax: the content begins with a map of where its pieces belong.
Status TreePacker::pack_sparse(int file, const struct stat& status, TarHeader header) {
  const std::string path = header.path;
  const auto extents = extents_of(file, header.size);
  if (!extents) return extents.error();
  std::string map;
  uint64_t bytes = 0;
  // A last piece of no size says where the file ends.
  const bool ends_in_hole = extents->empty() || extents->back().offset + extents->back().size < header.size;
  map += std::to_string(extents->size() + (ends_in_hole ? 1 : 0)) + "\n";
  for (const auto& [offset, size] : *extents) {
    map += std::to_string(offset) + "\n" + std::to_string(size) + "\n";
    bytes += size;
  }
  if (ends_in_hole) map += std::to_string(header.size) + "\n0\n";
  map.resize((map.size() + kStatBlock - 1) / kStatBlock * kStatBlock, '\0');

  header.records.insert({{"GNU.sparse.major", "1"}, {"GNU.sparse.minor", "0"}, {"GNU.sparse.name", path}, {"GNU.sparse.realsize", std::to_string(header.size)}});
  header.path = in_folder(folder_of(path), "GNUSparseFile.0/" + std::string(base_of(path)));
  header.size = map.size() + bytes;
  tally_.bytes += bytes;
  MOORING_TRY(begin(status, path, header));
  MOORING_TRY(tar_.content(map));
  for (const auto& [offset, size] : *extents) MOORING_TRY(tar_.content_of(file, static_cast<off_t>(offset), size));
  return tar_.end();
}

Status TreePacker::pack_mark(const std::string& path) {
  ++tally_.entries;
  return tar_.begin({.path = path});
}

}  // namespace mooring
