// The container's control groups, on version 1 hierarchies, on version 2, or on both (a hybrid host), as the host's mount table says.
#pragma once

#include <string>
#include <vector>

#include "config.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

struct Hierarchy {
  std::string mount_point;
  std::vector<std::string> controllers;  // "cpu"; a named one is "name=systemd"; of v2 those its root offers
  bool unified = false;
  bool has(const std::string& controller) const;
};

/// Every cgroup hierarchy mounted on the host, read from /proc/self/mountinfo. A v2 hierarchy is left out where v1 ones hold the controllers that limits need.
Result<std::vector<Hierarchy>> find_hierarchies();

/// As find_hierarchies(), but with that v2 hierarchy, as the last.
Result<std::vector<Hierarchy>> find_all_hierarchies();

/// An Error (EINVAL) names the field that no controller of these hierarchies can do.
Status check_controllers(const std::vector<Hierarchy>& hierarchies, const Resources& resources);

struct PlacedCgroup {
  std::string folder;  // absolute, on the host
  std::string name;    // how it is called below /sys/fs/cgroup: "cpu,cpuacct", "systemd"; empty on v2
  bool unified = false;
};

/// Where the cgroup `path` is in each of them.
std::vector<PlacedCgroup> place_cgroups(const std::vector<Hierarchy>& hierarchies, const std::string& path);

/// The container's cgroups, made and limited, and the handles by which its first process gets in.
struct Cgroups {
  std::vector<PlacedCgroup> placed;
  std::vector<UniqueFd> folders;  // in the hierarchies' order
  std::vector<UniqueFd> tasks;  // v1: `tasks` files, open for writing
  UniqueFd unified;             // v2: the folder, for CLONE_INTO_CGROUP
  std::string memory_folder;    // where OOM kills are counted; empty without a memory controller
};

/// Makes (or finds again) the cgroup `path` in every hierarchy, and in find_all_hierarchies()'s last where only that can do what is asked, and writes all limits. Errors name the field whose limit has no controller here.
Result<Cgroups> prepare_cgroups(const std::vector<Hierarchy>& hierarchies, const std::string& path, const Resources& resources);

/// Writes the limits of cgroups that prepare_cgroups has just made without any.
Status limit_cgroups(const std::vector<Hierarchy>& hierarchies, const Cgroups& cgroups, const Resources& resources);

/// Those that no process and no other cgroup is in.
void remove_cgroups(const std::vector<Hierarchy>& hierarchies, const std::string& path);

/// The path below each of `hierarchies` of a process's cgroup, in their order, as the calling process's cgroup namespace shows it.
Result<std::vector<std::string>> cgroup_paths(pid_t pid, const std::vector<Hierarchy>& hierarchies);

/// A cgroup to go into instead.
struct CgroupBelow {
  std::string controller;  // of version 1; empty: in every hierarchy
  std::string path;        // below the hierarchy's root
};

/// The way into the cgroups that a process is in, but where others are chosen.
Result<Cgroups> cgroups_of(pid_t pid, const std::vector<CgroupBelow>& chosen);

/// Moves the calling process, which must have one thread, into the v1 cgroups. On v2 clone3 has done so already.
Status enter_cgroups(const Cgroups& cgroups);

// The two versions' halves: `make` opens the folder of `path` below the hierarchy, making what is missing (`reused`: it was there), `limit` writes its limits.
Status limit_v1(const Hierarchy& hierarchy, int folder, const std::string& label, bool reused, const Resources& resources);
Result<UniqueFd> make_v1(const Hierarchy& hierarchy, const std::string& path, bool& reused);
Result<UniqueFd> make_v2(const Hierarchy& hierarchy, const std::string& path, bool& reused);
Status limit_v2(const Hierarchy& hierarchy, int folder, const std::string& label, bool reused, const Resources& resources);

/// Below each hierarchy: linux.cgroupsPath, or "/mooring/<id>".
std::string cgroup_path_of(const Config& config, const std::string& id);

/// v1's shares 2…262144 (default 1024) onto v2's weight 1…10000, as runc and crun map them.
uint64_t weight_of(uint64_t shares);

/// The parts of an absolute or relative path, without empty ones.
std::vector<std::string> path_parts(const std::string& path);

/// The rules in force: the spec's, below "deny everything" and above the devices that every container has.
std::vector<DeviceRule> effective_device_rules(const std::vector<DeviceRule>& rules);

/// Replaces the device program of a v2 cgroup (bpf(2), BPF_CGROUP_DEVICE).
Status set_device_program(int folder, const std::string& label, const std::vector<DeviceRule>& rules);

}  // namespace mooring
