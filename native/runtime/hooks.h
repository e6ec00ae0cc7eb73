// config.json's `hooks`: programs of the host's that are told of a step in a container's life.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config.h"
#include "result.h"

namespace mooring {

/// The container's state as the runtime specification has it, which hooks read from their stdin. `pid` as the reader sees it; 0: none.
std::string state_text(const Config& config, const std::string& id, const std::string& bundle, const std::string& status, pid_t pid);

/// Runs them in order, each with `state` on its stdin; `env` is that of hooks which have none of their own. The first that fails ends it; the Error holds what it wrote.
/// `kind` is their name in config.json.
Status run_hooks(const char* kind, const std::vector<Hook>& hooks, const std::string& state, const std::vector<std::string>& env = {});

/// The same for hooks whose failure holds nothing up: all of them run, and `warn` is told of those that fail.
void run_all_hooks(const char* kind, const std::vector<Hook>& hooks, const std::string& state, const std::function<void(const std::string&)>& warn);

}  // namespace mooring
