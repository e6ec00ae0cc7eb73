// What the runtime adds to process.env, as runc and crun do and programs have come to expect.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace mooring {

/// Of several values of one variable the last one stays, which is what `exec --env` means to say: getenv(3) finds the first.
void keep_last_values(std::vector<std::string>& env);

/// Where HOME is missing or empty: the folder that /etc/passwd has for the user, else "/". The caller is in the container's root.
void set_home(std::vector<std::string>& env, uid_t user);

}  // namespace mooring
