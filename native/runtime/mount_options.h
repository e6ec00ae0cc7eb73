// The words of mount(8) that OCI configurations use.
#pragma once

#include <string>

#include "config.h"

namespace mooring {

/// Applies one option ("ro", "rslave", "size=64k") to the mount; what is no known flag becomes the file system's data.
void apply_mount_option(const std::string& option, Mount& mount);

/// "rslave" → MS_SLAVE | MS_REC; 0 for another word.
unsigned long propagation_flag(const std::string& word);

}  // namespace mooring
