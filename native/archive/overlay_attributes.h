// Extended attributes of a file in the working directory: what an archive keeps of them, and what overlayfs says with its own.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.h"

namespace mooring {

/// What the kernel itself gives meaning to in a container's hands. Everything else is either the host's (trusted.*, which overlayfs obeys), or of a policy that
/// another host may not have.
bool keeps_attribute(std::string_view name);

/// All attributes' names. None where the file system has no attributes.
Result<std::vector<std::string>> attribute_names(const std::string& file);

Result<std::string> attribute(const std::string& file, const std::string& name);

/// Those that an archive keeps, with their values.
Result<std::map<std::string, std::string>> kept_attributes(const std::string& file);

/// What is in this folder hides all that the layers below have there.
bool is_opaque(const std::string& folder);

/// An Error where the file is only a reference into the layers below (trusted.overlay.redirect, trusted.overlay.metacopy).
Status require_whole(const std::string& file);

inline constexpr const char* kOpaqueAttribute = "trusted.overlay.opaque";
inline constexpr std::string_view kOverlayAttributes = "trusted.overlay.";

}  // namespace mooring
