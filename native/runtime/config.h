// An OCI bundle's config.json (runtime spec 1.2, Linux) as plain structs, checked; what the runtime cannot do is refused here, by field.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "id_map.h"
#include "process_config.h"
#include "result.h"

namespace mooring {

struct Overlay {
  std::vector<std::string> lower;  // topmost first, absolute
  std::string upper;
  std::string work;
  bool without_sync = false;  // nothing waits for the disk ("volatile": kernel, filesystems/overlayfs); for what is of no use after a crash
  bool map_ids = false;  // the layers' files belong to the users of the container's user namespace
};

struct Root {
  std::string path;  // absolute
  bool readonly = false;
  std::optional<Overlay> overlay;  // annotation dev.mooring.rootfs.overlay
};

/// Whose ids an id-mapped mount shows its files with.
enum class MountIds { plain, mapped, mapped_recursively };

/// One entry of `mounts`. Attributes are MOUNT_ATTR_*, propagation is one of MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE.
struct Mount {
  std::string destination;  // as seen in the container
  std::string type;
  std::string source;  // absolute for bind mounts
  std::string sub_path;  // of a bind mount: this below its source, resolved in there
  bool bind = false;
  bool recursive_bind = false;
  uint64_t set = 0;
  uint64_t clear = 0;
  uint64_t recursive_set = 0;
  uint64_t recursive_clear = 0;
  unsigned long propagation = 0;  // 0: private
  bool recursive_propagation = false;
  MountIds ids = MountIds::plain;
  IdMaps maps;         // of an id-mapped mount; empty: the container's own user namespace
  bool copy_up = false;  // a tmpfs begins with what it covers
  bool remount = false;  // no new mount: the flags of the one that is there
  std::vector<std::string> data;  // the file system's own options, "size=64k"
};

struct Device {
  std::string path;
  mode_t type = 0;  // S_IFCHR, S_IFBLK or S_IFIFO
  unsigned major = 0;
  unsigned minor = 0;
  mode_t mode = 0666;
  uid_t uid = 0;
  gid_t gid = 0;
};

struct DeviceRule {
  bool allow = false;
  char type = 'a';  // a, b or c
  std::optional<int64_t> major;  // none: any
  std::optional<int64_t> minor;
  std::string access;  // letters of "rwm"
};

struct IoWeight {
  unsigned major = 0;
  unsigned minor = 0;
  std::optional<uint64_t> weight;
  std::optional<uint64_t> leaf_weight;
};

/// A limit of one block device, in bytes or operations a second; 0: none.
struct IoRate {
  enum Kind { read_bytes, write_bytes, read_operations, write_operations };
  Kind kind = read_bytes;
  unsigned major = 0;
  unsigned minor = 0;
  uint64_t rate = 0;
};

struct IoLimits {
  std::optional<uint64_t> weight;  // 10 to 1000
  std::optional<uint64_t> leaf_weight;
  std::vector<IoWeight> weights;
  std::vector<IoRate> rates;
};

struct RdmaLimit {
  std::optional<uint64_t> handles;
  std::optional<uint64_t> objects;
};

/// Limits in the spec's own units; none: not asked for. -1 stands for "no limit".
struct Resources {
  std::optional<uint64_t> cpu_shares;
  std::optional<int64_t> cpu_quota;  // µs
  std::optional<uint64_t> cpu_period;  // µs
  std::optional<uint64_t> cpu_burst;  // µs
  std::optional<int64_t> cpu_idle;  // 0 or 1
  std::optional<int64_t> cpu_rt_runtime;  // µs
  std::optional<uint64_t> cpu_rt_period;  // µs
  std::optional<std::string> cpuset_cpus;
  std::optional<std::string> cpuset_mems;
  std::optional<int64_t> memory_limit;  // bytes
  std::optional<int64_t> memory_reservation;
  std::optional<int64_t> memory_swap;  // memory and swap together, as on v1
  std::optional<int64_t> memory_kernel;
  std::optional<int64_t> memory_kernel_tcp;
  std::optional<uint64_t> memory_swappiness;
  std::optional<bool> disable_oom_killer;
  bool memory_check_before_update = false;  // refuse a limit below what is in use
  std::optional<int64_t> pids_limit;
  std::vector<DeviceRule> devices;
  IoLimits io;
  std::vector<std::pair<std::string, uint64_t>> huge_pages;  // "2MB", bytes
  std::map<std::string, RdmaLimit> rdma;  // by device
  std::optional<uint32_t> network_class;
  std::vector<std::pair<std::string, uint32_t>> network_priorities;  // by interface
  std::map<std::string, std::string> unified;
};

struct JoinedNamespace {
  int flag = 0;
  std::string path;
};

struct Namespaces {
  int created = 0;  // CLONE_NEW*
  std::vector<JoinedNamespace> joined;
  bool has(int flag) const;
  const std::string* joined_path(int flag) const;  // nullptr: not joined
};

/// linux.timeOffsets of one clock.
struct TimeOffset {
  std::string clock;  // "monotonic", "boottime"
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
};

struct SeccompArg {
  unsigned index = 0;
  uint64_t value = 0;
  uint64_t value_two = 0;
  std::string op;
};

struct SeccompRule {
  std::vector<std::string> names;
  std::string action;
  std::optional<unsigned> errno_ret;
  std::vector<SeccompArg> args;
};

struct Seccomp {
  std::string default_action;
  std::optional<unsigned> default_errno_ret;
  std::vector<std::string> architectures;
  std::vector<std::string> flags;
  std::vector<SeccompRule> rules;
  std::string listener_path;  // socket of the agent that SCMP_ACT_NOTIFY asks
  std::string listener_metadata;
  bool notifies() const;
};

struct Hook {
  std::string path;
  std::vector<std::string> args;
  std::optional<std::vector<std::string>> env;  // none: an empty one, for startContainer the program's
  int timeout = 0;                              // seconds; 0: none
};

struct Hooks {
  std::vector<Hook> create_runtime;  // and before them the older "prestart"
  std::vector<Hook> create_container;
  std::vector<Hook> start_container;
  std::vector<Hook> poststart;
  std::vector<Hook> poststop;
};

struct Config {
  Process process;
  Root root;
  std::string hostname;
  std::string domainname;
  std::vector<Mount> mounts;
  Namespaces namespaces;
  IdMaps id_maps;  // of a new user namespace; of a joined one what it must be, or empty
  std::vector<TimeOffset> time_offsets;
  std::vector<Device> devices;
  std::string cgroups_path;  // empty: the runtime chooses
  Resources resources;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::map<std::string, std::string> sysctl;
  unsigned long rootfs_propagation = 0;  // MS_* with MS_REC; 0: private
  std::optional<unsigned long> personality;  // PER_*
  std::string mount_label;                   // SELinux's, of file systems that the runtime makes
  std::optional<Seccomp> seccomp;
  Hooks hooks;
  std::map<std::string, std::string> annotations;
  bool limits_required = false;  // annotation dev.mooring.limits "required": a limit that this host can't give is an error and no warning
  bool init = false;          // annotation dev.mooring.init: a process of ours is the container's first, and the program its child
  std::string seccomp_cache;  // annotation dev.mooring.seccomp.cache: folder of compiled filters; empty: none
};

/// Reads and checks a `process` object of its own, as exec gets it. Errors name the field: "process.cwd: must be an absolute path".
Result<Process> read_process_text(const std::string& text);

/// Reads and checks a `linux.resources` object of its own, as update gets it.
Result<Resources> read_resources_text(const std::string& text);

/// Reads and checks a whole document; paths in it that are relative are below `bundle`.
Result<Config> read_config_text(const std::string& text, const std::string& bundle);

/// Reads and checks `<bundle>/config.json`. Errors name the field: "config.json: process.rlimits[1].type: unknown limit "RLIMIT_X"".
Result<Config> read_config(const std::string& bundle);

}  // namespace mooring
