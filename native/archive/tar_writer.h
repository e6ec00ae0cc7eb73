// Writes a tar archive in the pax format (POSIX.1-2008, pax, "pax Interchange Format"): the same entries give the same bytes. No inode numbers, no dates but
// those of the content, no names of owners, and extended headers only where the plain one can't hold a value.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "archive/sha256.h"
#include "runtime/result.h"

namespace mooring {

struct TarHeader {
  std::string path;
  char type = '0';  // as in ustar: '0' file, '1' hard link, '2' symbolic link, '3' and '4' devices, '5' folder, '6' pipe
  mode_t mode = 0;  // the lower 12 bits
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime = {};
  uint64_t size = 0;  // of the content that follows
  std::string link = {};
  dev_t device = 0;
  std::map<std::string, std::string> records = {};  // further pax records
};

/// Where an archive goes.
struct TarOutput {
  /// Is written to from where it stands.
  int out;
  /// Gets a byte now and then, when `out`, a file, has grown; -1 for none.
  int growth = -1;
  /// Hashes what is written.
  Sha256* hash = nullptr;
};

class TarWriter {
 public:
  explicit TarWriter(const TarOutput& output) : output_(output) { buffer_.reserve(kBufferBytes); }

  /// Begins an entry; exactly its `size` bytes of content have to follow.
  Status begin(const TarHeader& header);
  Status content(std::string_view bytes);
  /// Content from `offset` on of a file. Where that is shorter by now, zeros.
  Status content_of(int file, off_t offset, uint64_t count);
  /// Fills up the last block of an entry's content.
  Status end();
  /// Ends the archive.
  Status finish();

 private:
  static constexpr size_t kBufferBytes = 256 * 1024;
  /// Each word of growth wakes a process or two.
  static constexpr uint64_t kToldBytes = 1024 * 1024;

  Status put(std::string_view bytes);
  Status zeros(uint64_t count);
  Status flush();
  Status tell_growth(uint64_t count);

  const TarOutput output_;
  std::string buffer_;
  uint64_t written_ = 0;
  uint64_t untold_ = 0;
};

}  // namespace mooring
