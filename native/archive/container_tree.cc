#include "archive/container_tree.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "monitor/start_time.h"
#include "runtime/files.h"
#include "runtime/mount_api.h"
#include "runtime/open_in_root.h"
#include "runtime/overlay.h"
#include "runtime/sub_path.h"

namespace mooring {

namespace {

// A folder that every host has and nothing here needs. Only this process sees what is made there.
constexpr const char* kBench = "/sys";
constexpr const char* kRoot = "/sys/root";
constexpr const char* kUpper = "/sys/upper";
constexpr const char* kWork = "/sys/work";

/// Mounted by the runtime. They show processes and devices, not files of the container's.
constexpr const char* kKernelMounts[] = {"/sys/root/proc", "/sys/root/sys", "/sys/root/dev"};

constexpr uint64_t kHarmless = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;

struct Bind {
  UniqueFd source;
  std::string place;
  bool read_only;
};

Status make_bench() {
  const auto bench = new_mount("tmpfs", "tmpfs", {{"mode", "755"}, {"size", "16m"}}, 0);
  if (!bench) return bench.error();
  const UniqueFd place(::open(kBench, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place) return sys_error("open " + std::string(kBench));
  MOORING_TRY(attach_mount(bench->get(), place.get(), kBench));
  for (const char* folder : {kRoot, kUpper, kWork}) {
    if (::mkdir(folder, 0755) != 0) return sys_error("mkdir " + std::string(folder));
  }
  return ok();
}

/// The mount namespace of a process that is known by its start time, so that a recycled pid is not mistaken for it.
Result<UniqueFd> namespace_of(const std::string& pid, const std::string& start_time) {
  const std::string folder = "/proc/" + pid;
  const UniqueFd process(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));  // stands for this process, not for the number
  if (!process) return sys_error("open " + folder);
  const auto stat = read_file(process.get(), "stat");
  if (!stat) return stat.error();
  if (std::to_string(parse_start_time(*stat)) != start_time) return Error{"process " + pid + " has ended", ESRCH};
  UniqueFd found(::openat(process.get(), "ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!found) return sys_error("open " + folder + "/ns/mnt");
  return found;
}

/// A copy of the tree of mounts that a running container has.
Result<UniqueFd> copy_mounts(const std::string& pid, const std::string& start_time, bool mounts) {
  const auto theirs = namespace_of(pid, start_time);
  if (!theirs) return theirs.error();
  const UniqueFd own(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!own) return sys_error("open the own mount namespace");
  if (::setns(theirs->get(), CLONE_NEWNS) != 0) return sys_error("enter the container's mount namespace");
  auto copy = clone_mount(AT_FDCWD, "/", mounts);
  if (::setns(own.get(), CLONE_NEWNS) != 0) return sys_error("leave the container's mount namespace");
  return copy;
}

Result<UniqueFd> running_tree(const Arguments& arguments, Access access, bool mounts) {
  auto copy = copy_mounts(*arguments.last("pid"), arguments.last("start-time").value_or(""), mounts);
  if (!copy) return copy;
  // First of all: nothing that is done to the copy may reach what it was copied from.
  MOORING_TRY(change_mount(copy->get(), {.propagation = MS_PRIVATE, .recursive = true}, "the copy of the container's mounts"));
  MOORING_TRY(change_mount(copy->get(), {.set = kHarmless | (access == Access::kRead ? MOUNT_ATTR_RDONLY : 0), .recursive = true}, "the copy of the container's mounts"));
  const UniqueFd place(::open(kRoot, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place) return sys_error("open " + std::string(kRoot));
  MOORING_TRY(attach_mount(copy->get(), place.get(), kRoot));
  for (const char* mount : kKernelMounts) {
    // EINVAL: nothing is mounted there.
    if (mounts && ::umount2(mount, MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT) return sys_error("unmount " + std::string(mount));
  }
  return copy;
}

/// Before the first mount of our own covers anything.
Result<std::vector<Bind>> take_binds(const Arguments& arguments) {
  const auto& sources = arguments.all("bind");
  const auto& places = arguments.all("at");
  const auto& access = arguments.all("access");
  const auto& parts = arguments.all("part");
  if (sources.size() != places.size() || sources.size() != access.size() || sources.size() != parts.size()) return Error{"--bind, --part, --at and --access come together", EINVAL};
  std::vector<Bind> binds;
  for (size_t at = 0; at < sources.size(); ++at) {
    auto source = parts[at].empty() ? clone_mount(AT_FDCWD, sources[at], true) : clone_mount_below(sources[at], parts[at], true);
    if (!source) return source.error();
    MOORING_TRY(change_mount(source->get(), {.propagation = MS_PRIVATE, .recursive = true}, sources[at]));
    binds.push_back({std::move(*source), places[at], access[at] == "ro"});
  }
  return binds;
}

bool is_folder(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

Result<UniqueFd> stopped_tree(const Arguments& arguments, Access access, const std::vector<Bind>& binds) {
  Overlay overlay{arguments.all("lower"), arguments.last("upper").value_or(""), arguments.last("work").value_or("")};
  if (overlay.upper.empty()) return Error{"--upper is missing", EINVAL};
  if (access == Access::kRead) {
    overlay.lower.insert(overlay.lower.begin(), overlay.upper);
    overlay.upper = kUpper;
    overlay.work = kWork;
  }
  auto root = mount_overlay(overlay, kRoot, "the container's root");
  if (!root) return root;
  for (const Bind& bind : binds) {
    const auto place = make_in_root(root->get(), bind.place, is_folder(bind.source.get()) ? Kind::folder : Kind::file);
    if (!place && place.error().code == EROFS) continue;  // inside another bind, where it could not be mounted either
    if (!place) return place.error();
    if (bind.read_only || access == Access::kRead) MOORING_TRY(change_mount(bind.source.get(), {.set = MOUNT_ATTR_RDONLY, .recursive = true}, bind.place));
    MOORING_TRY(attach_mount(bind.source.get(), place->get(), bind.place));
  }
  MOORING_TRY(change_mount(root->get(), {.set = kHarmless | (access == Access::kRead ? MOUNT_ATTR_RDONLY : 0), .recursive = true}, "the container's root"));
  if (arguments.last("read-only")) MOORING_TRY(change_mount(root->get(), {.set = MOUNT_ATTR_RDONLY}, "the container's root"));
  return root;
}

}  // namespace

std::vector<std::string> container_options() { return {"pid", "start-time", "lower", "upper", "work", "read-only", "bind", "part", "at", "access"}; }

Status enter_container(const Arguments& arguments, Access access, bool mounts) {
  MOORING_TRY(leave_host());
  const auto binds = mounts ? take_binds(arguments) : Result<std::vector<Bind>>(std::vector<Bind>());
  if (!binds) return binds.error();
  MOORING_TRY(make_bench());
  const auto root = arguments.last("pid") ? running_tree(arguments, access, mounts) : stopped_tree(arguments, access, *binds);
  if (!root) return root.error();
  return confine(root->get(), access, UINT64_MAX);
}

}  // namespace mooring
