#include "launch.h"

#include "birth.h"
#include "builder.h"

namespace mooring {

Result<Launched> launch(const LaunchOptions& options) {
  return give_birth_by([&](int channel) { run_builder(channel, options); }, "the container's first process");
}

}  // namespace mooring
