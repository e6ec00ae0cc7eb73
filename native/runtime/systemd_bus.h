// The few things that are asked of systemd over D-Bus (org.freedesktop.systemd1(5)): a scope for a container, its properties, its end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "result.h"

namespace mooring {

/// A unit's property, of the D-Bus type that the alternative stands for: "b", "t", "s", "au".
struct UnitProperty {
  std::string name;
  std::variant<bool, uint64_t, std::string, std::vector<uint32_t>> value;
};

/// Makes the transient scope and waits until systemd has placed its processes. Errors: what systemd says, or that there is none on this host.
Status start_scope(const std::string& scope, const std::vector<UnitProperty>& properties);

/// Sets properties until the next boot.
Status set_unit_properties(const std::string& unit, const std::vector<UnitProperty>& properties);

/// Ends it, and waits until systemd has let go of it. One that is not there is no error.
Status stop_unit(const std::string& unit);

}  // namespace mooring
