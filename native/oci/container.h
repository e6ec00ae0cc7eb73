// A container as this command line knows it between two calls: a folder below --root with its state.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "runtime/config.h"
#include "runtime/result.h"
#include "runtime/unique_fd.h"

namespace mooring::oci {

enum class State { creating, created, running, paused, stopped };
const char* name_of(State state);

struct Container {
  std::string id;
  std::string folder;   // <root>/<id>: state.json, config.json as it was at create, exec.fifo until start
  std::string bundle;   // absolute
  std::string rootfs;
  std::string cgroup;   // below every hierarchy
  std::string scope;    // systemd's unit, where that has the cgroup; else empty
  std::string created;  // RFC 3339
  pid_t pid = 0;        // 0: none yet
  unsigned long long start_time = 0;  // of pid, in clock ticks since boot: tells a number that was given to another
  std::map<std::string, std::string> annotations;

  std::string fifo() const { return folder + "/exec.fifo"; }
  /// As the kernel has it now. `locked`: the caller holds its lock, so that nobody else creates it.
  State state(bool locked = false) const;
};

Status check_id(const std::string& id);

/// Error: `container "x" does not exist` (ENOENT); EBADMSG where its state can't be read.
Result<Container> load_container(const std::string& root, const std::string& id);
std::vector<std::string> list_containers(const std::string& root);

/// Held (flock(2), on the container's folder) by whoever makes, starts or removes a container, so that no two do at once. The kernel takes it back from the dead.
class ContainerLock {
 public:
  ContainerLock() = default;
  explicit ContainerLock(UniqueFd folder) : folder_(std::move(folder)) {}
  ContainerLock(ContainerLock&&) = default;
  ContainerLock& operator=(ContainerLock&&) = default;
  ~ContainerLock() { release(); }
  /// Also for the processes that have inherited it.
  void release();

 private:
  UniqueFd folder_;
};

/// Waits for it. Error: `container "x" does not exist` (ENOENT), also when it has been removed meanwhile.
Result<ContainerLock> lock_container(const Container& container);

/// Makes the folder, locked. Error where there is one: `container "x" already exists` (EEXIST).
Result<ContainerLock> make_folder(const Container& container);
Status save(const Container& container);
Status remove_folder(const Container& container);

/// Field 22 of /proc/<pid>/stat, 0 where there is no such process or it is a zombie.
unsigned long long start_time_of(pid_t pid);

/// Writes a whole file: a temporary one, renamed.
Status write_whole(const std::string& path, const std::string& text);

/// What `state` prints, and with an owner `list`.
std::string to_json(const Container& container);

}  // namespace mooring::oci
