// config.json's `process` object as plain structs.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mooring {

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t umask = 0022;
  std::vector<gid_t> additional_gids;
};

/// Bit n stands for capability number n (capabilities(7)).
struct CapabilitySets {
  uint64_t bounding = 0;
  uint64_t effective = 0;
  uint64_t inheritable = 0;
  uint64_t permitted = 0;
  uint64_t ambient = 0;
};

struct Rlimit {
  std::string name;  // "RLIMIT_NOFILE"
  int resource = 0;
  uint64_t soft = 0;
  uint64_t hard = 0;
};

/// As sched_setattr(2) takes it.
struct Scheduler {
  uint32_t policy = 0;  // SCHED_*
  uint64_t flags = 0;   // SCHED_FLAG_*
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0;  // ns
  uint64_t deadline = 0;
  uint64_t period = 0;
};

struct Process {
  bool terminal = false;
  unsigned short rows = 0;  // 0: the kernel's default
  unsigned short columns = 0;
  User user;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd;
  CapabilitySets capabilities;
  std::vector<std::string> unknown_capabilities;  // names that stand for none here
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::optional<int> oom_score_adj;
  std::string apparmor_profile;  // empty: as the caller's
  std::string selinux_label;
  std::optional<Scheduler> scheduler;
  std::optional<int> io_priority;  // as ioprio_set(2) takes it: class and level
  std::optional<cpu_set_t> first_cpus;  // execCPUAffinity, before the process is in the container's cgroups
  std::optional<cpu_set_t> last_cpus;   // and after
};

}  // namespace mooring
