#include "cgroup.h"

namespace mooring {

std::vector<DeviceRule> effective_device_rules(const std::vector<DeviceRule>& rules) {
  std::vector<DeviceRule> all{{false, 'a', {}, {}, "rwm"}};
  all.insert(all.end(), rules.begin(), rules.end());
  // What every container has: nodes may be made, but only these opened: null zero full random urandom tty console ptmx, and its own ptys.
  for (const char type : {'c', 'b'}) all.push_back({true, type, {}, {}, "m"});
  for (const auto& [major, minor] : {std::pair{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}}) all.push_back({true, 'c', major, minor, "rwm"});
  all.push_back({true, 'c', 136, {}, "rwm"});
  return all;
}

}  // namespace mooring
