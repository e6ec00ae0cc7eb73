// Follows what becomes of the names in many folders of one file system, and who does it.
#pragma once

#include "addon/js.h"

namespace mooring {

/// `(root, onChange) → watch`. Follows nothing yet. `root` is a folder of the file system that all followed ones are on. `onChange(changes, lost)` is told paths (absolute) of
/// names that were made, removed, moved, written to and closed, or given other rights, each with the process that did it: `{path, pid, status?, cgroup?}`, the latter two its
/// files of that name in /proc, unless it had ended by then. `lost`: there was more.
Napi::Value watch_folders(const Napi::CallbackInfo& info);

/// `(watch, folder, skipped, most) → Promise of the number of folders`: follows a folder with every one below it, but for those at the paths `skipped` (relative to it, with
/// all that is in them), up to `most`. What is made in them later is told of, and followed once this is called again. A folder is followed for as long as it exists.
Napi::Value mark_folders(const Napi::CallbackInfo& info);

}  // namespace mooring
