// Limits to what folders hold: each has a project of its own (quotactl(2), FS_IOC_FSSETXATTR of linux/fs.h).
#pragma once

#include "addon/js.h"

namespace mooring {

/// `(folder) → Promise<boolean>`: whether its file system keeps projects within their limits.
Napi::Value has_project_quota(const Napi::CallbackInfo& info);

/// `(folder, bytes) → Promise<undefined>`: what is made in the folder from now on may take so many bytes in all, 0 for any number.
Napi::Value limit_folder(const Napi::CallbackInfo& info);

/// `(folder, model) → Promise<undefined>`: what is made in the folder from now on counts as if it were made in the model, into which it may be moved.
Napi::Value share_limit(const Napi::CallbackInfo& info);

}  // namespace mooring
