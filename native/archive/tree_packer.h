// Packs a tree of files into a tar archive.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "archive/tar_writer.h"
#include "archive/tree_walk.h"

namespace mooring {

struct Packing {
  /// The tree is an overlay's writable folder: deletions become the marks of a layer (OCI image spec, layer.md, "Whiteouts"), holes stay holes.
  bool layer = false;
  /// Later dates become this one, seconds since the epoch.
  std::optional<int64_t> latest = {};
  /// What the top is called in the archive; "" where only what is in it is packed.
  std::string name = {};
};

struct PackTally {
  uint64_t entries = 0;
  uint64_t bytes = 0;  // of content, holes not counted
};

class TreePacker : public TreeVisitor {
 public:
  TreePacker(TarWriter& tar, const Packing& packing) : tar_(tar), packing_(packing) {}

  /// Also for a file that is packed alone.
  Status enter(const TreeEntry& entry) override;
  const PackTally& tally() const { return tally_; }

 private:
  Status pack(const TreeEntry& entry, const std::string& path);
  Status pack_file(const TreeEntry& entry, TarHeader header);
  Status pack_sparse(int file, const struct stat& status, TarHeader header);
  Status begin(const struct stat& status, const std::string& path, const TarHeader& header);
  Status pack_mark(const std::string& path);
  TarHeader header_of(const TreeEntry& entry, const std::string& path) const;

  TarWriter& tar_;
  const Packing packing_;
  PackTally tally_;
  std::map<std::pair<dev_t, ino_t>, std::string> linked_;  // where the first name of a file with several was packed
};

}  // namespace mooring
