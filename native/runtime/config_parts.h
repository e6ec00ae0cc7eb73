// The halves of reading config.json: config.cc reads the process, the root and the mounts, config_linux.cc the `linux` section.
#pragma once

#include "config.h"
#include "json_node.h"

namespace mooring {

void read_linux(const JsonNode& linux, Config& config);

/// `linux.resources`
void read_resources(const JsonNode& resources, Config& config);

}  // namespace mooring
