// Keeps a monitor small while it waits, for as long as its container lives.
#pragma once

namespace mooring {

/// Gives back what memory the monitor does not need in order to wait. What is needed again later is faulted in then.
void shrink_footprint();

}  // namespace mooring
