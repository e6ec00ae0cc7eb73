#pragma once

namespace mooring {

constexpr const char* kVersion = "0.1.0";            // package.json's
constexpr const char* kRuntimeSpecVersion = "1.2.0";  // opencontainers/runtime-spec

}  // namespace mooring
