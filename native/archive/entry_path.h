// Names in an archive, judged as text, before the file system sees any of them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/result.h"

namespace mooring {

/// The path relative to the layer's root: no leading slash, no empty and no "." component; "" is the root itself.
/// A ".." or more than `max_depth` components are errors.
Result<std::string> layer_path(std::string_view name, size_t max_depth);

/// The folder part of a path that layer_path gave; "" where that is the root.
std::string_view folder_of(std::string_view path);

/// The last component.
std::string_view base_of(std::string_view path);

/// What the last component means (OCI image spec, layer.md, "Whiteouts").
enum class NameKind {
  kPlain,
  kWhiteout,  // .wh.NAME: NAME of the layers below is deleted
  kOpaque,    // .wh..wh..opq: nothing of this folder in the layers below is seen
  kIgnored,   // any other .wh..wh.NAME: bookkeeping of AUFS
};
Result<NameKind> name_kind(std::string_view path);

/// NAME of .wh.NAME, as a path.
std::string whiteout_target(std::string_view path);

}  // namespace mooring
