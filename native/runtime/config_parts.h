// The parts of reading config.json: config.cc reads the document, each part one section of it.
#pragma once

#include "config.h"
#include "json_node.h"

namespace mooring {

void read_process(const JsonNode& node, Process& process);

/// One of `mounts`. The namespaces must have been read.
void read_mount(const JsonNode& node, const std::string& bundle, Config& config);

void read_linux(const JsonNode& linux, Config& config);

/// `linux.resources`
void read_resources(const JsonNode& resources, Config& config);

/// `uidMappings` and `gidMappings` of `node`: both or neither.
void read_id_maps(const JsonNode& node, IdMaps& maps);

/// `path` itself where it is absolute, else below `base`.
std::string absolute_path(const std::string& path, const std::string& base);

}  // namespace mooring
