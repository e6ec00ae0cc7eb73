// Puts the entries of an archive into a folder, each in the place of what was there before.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cstdint>
#include <map>
#include <string>

#include "runtime/result.h"

namespace mooring {

struct Bounds {
  uint64_t bytes = 0;    // of disk, and of the archive itself
  uint64_t entries = 0;
  uint64_t file_bytes = 0;  // of one file, holes included
  uint64_t depth = 0;
};

/// Whose everything is: as the archive says, root's, or whosever it is whose process makes it, with what is there already staying as it is.
enum class Owners { kArchive, kRoot, kMaker };

/// What is written, and over what.
struct Placement {
  /// A layer: names that mean a deletion become one. Else a container's own files: every name is a name.
  bool layer = true;
  /// A folder in the place of something else, or the other way round, is refused.
  bool keeps_kinds = false;
  Owners owners = Owners::kArchive;
};

/// What has been written so far.
struct Tally {
  uint64_t entries = 0;
  uint64_t bytes = 0;
  uint64_t ignored_attributes = 0;
};

/// An error whose code is 0 is the archive's fault.
class LayerWriter {
 public:
  /// Writes below the working directory.
  LayerWriter(archive* source, const Bounds& bounds, const Placement& placement) : source_(source), bounds_(bounds), placement_(placement) {}

  Status put(archive_entry* entry);

  /// Dates the folders, which each entry in them had changed.
  Status finish();

  const Tally& tally() const { return tally_; }

 private:
  Status put_plain(archive_entry* entry, const std::string& path);
  Status put_whiteout(const std::string& target);
  Status put_opaque(const std::string& folder);
  Status put_hard_link(archive_entry* entry, const std::string& path);
  Status make(archive_entry* entry, const std::string& path);
  /// A regular file with all that it has, through its one descriptor.
  Status put_file(archive_entry* entry, const std::string& path);
  Status copy_content(int fd, uint64_t size);
  struct Owner {
    uid_t uid;
    gid_t gid;
  };
  Result<Owner> owner_of(archive_entry* entry) const;
  Status set_owner_and_mode(archive_entry* entry, const std::string& path);
  Status set_attributes(archive_entry* entry, const std::string& path);
  Status charge(uint64_t bytes);

  archive* source_;
  const Bounds bounds_;
  const Placement placement_;
  Tally tally_;
  std::map<std::string, timespec> folder_times_;
};

}  // namespace mooring
