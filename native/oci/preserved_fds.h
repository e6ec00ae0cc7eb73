// --preserve-fds N: descriptors 3 to 2+N of the caller go to the container's process.
#pragma once

#include "flags.h"

namespace mooring::oci {

/// N; an Error where one of them is not open.
Result<unsigned> preserved_fds(const Arguments& arguments);

}  // namespace mooring::oci
