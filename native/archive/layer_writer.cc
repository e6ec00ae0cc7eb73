#include "archive/layer_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string_view>

#include "archive/entry_path.h"
#include "archive/overlay_attributes.h"
#include "archive/paths_in_root.h"
#include "runtime/unique_fd.h"

namespace mooring {

namespace {

constexpr uint64_t kBlock = 4096;

uint64_t whole_blocks(uint64_t bytes) { return (bytes + kBlock - 1) / kBlock * kBlock; }

timespec time_of(archive_entry* entry) { return {archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)}; }

Status date(const std::string& path, const timespec& time) {
  const timespec both[2] = {time, time};
  if (::utimensat(AT_FDCWD, path_or_self(path), both, AT_SYMLINK_NOFOLLOW) != 0) return sys_error("date it");
  return ok();
}

}  // namespace

Status LayerWriter::charge(uint64_t bytes) {
  tally_.bytes += bytes;
  if (tally_.bytes > bounds_.bytes) return Error{"the layer takes more than " + std::to_string(bounds_.bytes) + " bytes"};
  return ok();
}

Status LayerWriter::put(archive_entry* entry) {
  if (++tally_.entries > bounds_.entries) return Error{"the layer has more than " + std::to_string(bounds_.entries) + " entries"};
  const char* name = archive_entry_pathname(entry);
  if (name == nullptr || *name == '\0') return Error{"it has no name"};
  const auto path = layer_path(name, bounds_.depth);
  if (!path) return path.error();
  const auto kind = placement_.layer ? name_kind(*path) : NameKind::kPlain;
  if (!kind) return kind.error();
  MOORING_TRY(charge(kBlock));
  switch (*kind) {
    case NameKind::kPlain:
      return put_plain(entry, *path);
    case NameKind::kWhiteout:
      return put_whiteout(whiteout_target(*path));
    case NameKind::kOpaque:
      return put_opaque(std::string(folder_of(*path)));
    case NameKind::kIgnored:
      return ok();
  }
  return ok();
}

Status LayerWriter::put_plain(archive_entry* entry, const std::string& path) {
  const bool is_folder = archive_entry_filetype(entry) == AE_IFDIR && archive_entry_hardlink(entry) == nullptr;
  if (path.empty() && !is_folder) return Error{"it would replace the layer's root"};
  const auto found = kind_at(path);
  if (!found) return found.error();
  if (placement_.keeps_kinds && *found == Found::kFolder && !is_folder) return Error{"a folder is in its place, which a file can't replace"};
  if (placement_.keeps_kinds && *found == Found::kOther && is_folder) return Error{"a file is in its place, which a folder can't replace"};
  if (*found == Found::kNothing) {
    MOORING_TRY(make_folders(folder_of(path)));
  } else if (!(is_folder && *found == Found::kFolder)) {
    MOORING_TRY(remove_tree(path));
    folder_times_.erase(path);
  }
  if (archive_entry_hardlink(entry) != nullptr) return put_hard_link(entry, path);
  if (archive_entry_filetype(entry) == AE_IFREG) return put_file(entry, path);
  if (!(is_folder && *found == Found::kFolder)) MOORING_TRY(make(entry, path));
  MOORING_TRY(set_owner_and_mode(entry, path));
  MOORING_TRY(set_attributes(entry, path));
  // What was deleted and is made again in one layer shows nothing of the layers below.
  if (is_folder && *found == Found::kWhiteout) MOORING_TRY(put_opaque(path));
  if (!is_folder) return date(path, time_of(entry));
  folder_times_[path] = time_of(entry);
  return ok();
}

Status LayerWriter::put_hard_link(archive_entry* entry, const std::string& path) {
  const auto target = layer_path(archive_entry_hardlink(entry), bounds_.depth);
  if (!target) return Error{"the file it links to: " + target.error().message};
  if (::linkat(AT_FDCWD, path_or_self(*target), AT_FDCWD, path.c_str(), 0) != 0) return archive_fault("link it to \"" + *target + "\"");
  return ok();
}

Status LayerWriter::make(archive_entry* entry, const std::string& path) {
  switch (archive_entry_filetype(entry)) {
    case AE_IFDIR:
      if (::mkdir(path.c_str(), 0700) != 0) return archive_fault("make the folder");
      return ok();
    case AE_IFLNK: {
      const char* target = archive_entry_symlink(entry);
      if (target == nullptr || *target == '\0') return Error{"it is a symbolic link to nowhere"};
      if (::symlink(target, path.c_str()) != 0) return archive_fault("make the symbolic link");
      return ok();
    }
    case AE_IFIFO:
      if (::mknod(path.c_str(), S_IFIFO | 0600, 0) != 0) return archive_fault("make the pipe");
      return ok();
    case AE_IFCHR:
    case AE_IFBLK: {
      const dev_t device = makedev(archive_entry_rdevmajor(entry), archive_entry_rdevminor(entry));
      const mode_t type = archive_entry_filetype(entry) == AE_IFCHR ? S_IFCHR : S_IFBLK;
      if (::mknod(path.c_str(), type | 0600, device) != 0) return archive_fault("make the device node");
      return ok();
    }
    default:
      return Error{"it is of a kind that a layer can't have"};
  }
}

Status LayerWriter::put_file(archive_entry* entry, const std::string& path) {
  const uint64_t size = archive_entry_size(entry) < 0 ? UINT64_MAX : static_cast<uint64_t>(archive_entry_size(entry));
  if (size > bounds_.file_bytes) return Error{"it is larger than the " + std::to_string(bounds_.file_bytes) + " bytes that a file may have"};
  const auto owner = owner_of(entry);
  if (!owner) return owner.error();
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return archive_fault("make the file");
  MOORING_TRY(copy_content(fd.get(), size));
  if (::fchown(fd.get(), owner->uid, owner->gid) != 0) return sys_error("give it to its owner");
  // After the owner, whose change takes the set-user-ID bit away.
  if (::fchmod(fd.get(), archive_entry_perm(entry)) != 0) return sys_error("set its mode");
  MOORING_TRY(set_attributes(entry, path));
  const timespec both[2] = {time_of(entry), time_of(entry)};
  if (::futimens(fd.get(), both) != 0) return sys_error("date it");
  return ok();
}

Status LayerWriter::copy_content(int fd, uint64_t size) {
  uint64_t end = 0;
  for (;;) {
    const void* data = nullptr;
    size_t count = 0;
    la_int64_t offset = 0;
    const int outcome = archive_read_data_block(source_, &data, &count, &offset);
    if (outcome == ARCHIVE_EOF) break;
    if (outcome < ARCHIVE_WARN) return Error{archive_error_string(source_)};
    if (count == 0) continue;
    if (offset < 0 || static_cast<uint64_t>(offset) + count > size) return Error{"its content goes beyond its size"};
    MOORING_TRY(charge(whole_blocks(count)));
    for (size_t done = 0; done < count;) {
      const ssize_t written = ::pwrite(fd, static_cast<const char*>(data) + done, count - done, offset + static_cast<la_int64_t>(done));
      if (written < 0) return sys_error("write its content");
      done += static_cast<size_t>(written);
    }
    end = std::max(end, static_cast<uint64_t>(offset) + count);
  }
  if (end < size && ::ftruncate(fd, static_cast<off_t>(size)) != 0) return sys_error("make its last hole");
  return ok();
}

Result<LayerWriter::Owner> LayerWriter::owner_of(archive_entry* entry) const {
  if (placement_.owners == Owners::kRoot) return Owner{0, 0};
  // chown(2): each is left as it is.
  if (placement_.owners == Owners::kMaker) return Owner{static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
  const la_int64_t uid = archive_entry_uid(entry);
  const la_int64_t gid = archive_entry_gid(entry);
  // The last value means "leave it as it is" to chown(2).
  if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX) return Error{"its owner " + std::to_string(uid) + ":" + std::to_string(gid) + " does not fit in 32 bits"};
  return Owner{static_cast<uid_t>(uid), static_cast<gid_t>(gid)};
}

Status LayerWriter::set_owner_and_mode(archive_entry* entry, const std::string& path) {
  const auto owner = owner_of(entry);
  if (!owner) return owner.error();
  if (::lchown(path_or_self(path), owner->uid, owner->gid) != 0) return sys_error("give it to its owner");
  // Nothing but a link has no mode, and what isn't a link is not followed.
  if (archive_entry_filetype(entry) != AE_IFLNK && ::chmod(path_or_self(path), archive_entry_perm(entry)) != 0) return sys_error("set its mode");
  return ok();
}

Status LayerWriter::set_attributes(archive_entry* entry, const std::string& path) {
  archive_entry_xattr_reset(entry);
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    if (!keeps_attribute(name)) {
      ++tally_.ignored_attributes;
      continue;
    }
    if (::lsetxattr(path_or_self(path), name, value, size, 0) == 0) continue;
    // xattr(7): user.* only on files and folders, and only where the file system has them.
    if (errno != EPERM && errno != ENOTSUP) return archive_fault("set its attribute " + std::string(name));
    ++tally_.ignored_attributes;
  }
  return ok();
}

Status LayerWriter::put_whiteout(const std::string& target) {
  const auto found = kind_at(target);
  if (!found) return found.error();
  // A mark speaks of the layers below only: what this layer itself has under that name stays, and hides what is below it.
  if (*found == Found::kFolder) return put_opaque(target);
  if (*found != Found::kNothing) return ok();
  MOORING_TRY(make_folders(folder_of(target)));
  if (::mknod(target.c_str(), S_IFCHR, makedev(0, 0)) != 0) return archive_fault("mark it as deleted");
  return ok();
}

Status LayerWriter::put_opaque(const std::string& folder) {
  // Overlayfs merges the roots of its layers whatever they say, so such a layer would show what it means to hide.
  if (folder.empty()) return Error{"it would hide everything below the layer's root, which is not supported"};
  MOORING_TRY(make_folders(folder));
  if (::lsetxattr(path_or_self(folder), kOpaqueAttribute, "y", 1, 0) != 0) return archive_fault("make its folder opaque");
  return ok();
}

Status LayerWriter::finish() {
  for (auto folder = folder_times_.rbegin(); folder != folder_times_.rend(); ++folder) {
    if (const auto dated = date(folder->first, folder->second); !dated && dated.error().code != ENOENT) return dated;
  }
  return ok();
}

}  // namespace mooring
