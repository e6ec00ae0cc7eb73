// What paths of a container mean to a process whose root is the container's: links lead nowhere else.
#pragma once

#include <sys/stat.h>

#include <string>

#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring {

/// An Error from the current errno. What is something else than was asked for is the caller's mistake; that there is nothing has an errno of its own.
Error at(const std::string& path, const std::string& what);

/// A folder and the name in it that a path means; the last name itself is not followed, unless a slash behind it asks for that.
struct Place {
  UniqueFd folder;
  std::string name;
  struct stat status;
};

Result<Place> find(const std::string& path);

}  // namespace mooring
