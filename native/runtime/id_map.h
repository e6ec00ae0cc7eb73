// Which ids outside stand for those inside a user namespace (user_namespaces(7)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "result.h"

namespace mooring {

struct IdRange {
  uint32_t inside = 0;
  uint32_t outside = 0;
  uint32_t size = 0;
  bool operator==(const IdRange&) const = default;
};

struct IdMap {
  std::vector<IdRange> ranges;
  std::optional<uint32_t> outside(uint32_t inside) const;
  /// As uid_map and gid_map want it, a range a line.
  std::string text() const;
  bool operator==(const IdMap&) const = default;
};

struct IdMaps {
  IdMap uids;
  IdMap gids;
  bool empty() const { return uids.ranges.empty() && gids.ranges.empty(); }
  bool operator==(const IdMaps&) const = default;
};

/// Those of a process's user namespace, as seen from the caller's. Both are "everything stands for itself" in the initial one.
Result<IdMaps> read_id_maps(int pid);

}  // namespace mooring
