#include "external.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "runtime/cgroup.h"
#include "runtime/files.h"
#include "runtime/open_in_root.h"

namespace mooring::oci {
namespace {

constexpr const char* network = "extRootNetNS";  // the name that runc gives it, so that its checkpoints are understood
constexpr const char* stdio_file = "descriptors.json";

// The path of what an O_PATH descriptor stands for, as the mount namespace that it is in has it.
Result<std::string> path_of(int fd, const std::string& what) {
  char path[4096];
  const ssize_t length = readlink(fd_path(fd).c_str(), path, sizeof path);
  if (length < 0) return sys_error("read the path of " + what);
  return std::string(path, static_cast<std::size_t>(length));
}

struct External {
  std::string destination;  // in the container
  std::string source;       // on the host
};

Result<std::string> source_of(const Mount& mount) {
  if (mount.sub_path.empty()) return mount.source;
  const UniqueFd folder(open(mount.source.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return sys_error("open " + mount.source);
  auto part = open_in_root(folder.get(), mount.sub_path, O_PATH);
  if (!part) return std::move(part.error());
  return path_of(part->get(), mount.source + "/" + mount.sub_path);
}

Status add_cgroups(const Mount& mount, const std::vector<PlacedCgroup>& cgroups, std::vector<External>& found) {
  const bool v1 = std::any_of(cgroups.begin(), cgroups.end(), [](const PlacedCgroup& one) { return !one.unified; });
  for (const PlacedCgroup& one : cgroups) found.push_back({v1 ? mount.destination + "/" + (one.unified ? "unified" : one.name) : mount.destination, one.folder});
  return ok();
}

Result<std::vector<External>> external_mounts(const Config& config, const std::vector<PlacedCgroup>& cgroups) {
  std::vector<External> found;
  for (const Mount& mount : config.mounts) {
    if (mount.type == "cgroup") MOORING_TRY(add_cgroups(mount, cgroups, found));
    if (!mount.bind) continue;
    auto source = source_of(mount);
    if (!source) return std::move(source.error());
    found.push_back({mount.destination, std::move(*source)});
  }
  return found;
}

// The id of the mount that a process's descriptor is on (proc_pid_fdinfo(5)).
Result<int> mount_of(const std::string& process, int fd) {
  auto text = read_file(AT_FDCWD, process + "/fdinfo/" + std::to_string(fd));
  if (!text) return std::move(text.error());
  const std::size_t at = text->find("mnt_id:");
  return at == std::string::npos ? Result<int>(-1) : std::atoi(text->c_str() + at + 7);
}

// How CRIU calls what is behind the process's 0, 1 or 2 where that is not the container's own; else "".
Result<std::string> name_of_stream(const std::string& process, int fd, const std::string& mounts) {
  const std::string path = process + "/fd/" + std::to_string(fd);
  char link[256];
  const ssize_t length = readlink(path.c_str(), link, sizeof link);
  if (length < 0) return errno == ENOENT ? Result<std::string>("") : sys_error("read " + path);
  const std::string target(link, static_cast<std::size_t>(length));
  if (target.starts_with("pipe:[")) return target;
  struct stat status;
  if (!target.starts_with('/') || stat(path.c_str(), &status) != 0) return std::string();
  auto mount = mount_of(process, fd);
  if (!mount) return std::move(mount.error());
  if (*mount < 0 || ("\n" + mounts).find("\n" + std::to_string(*mount) + " ") != std::string::npos) return std::string();
  char name[64];
  std::snprintf(name, sizeof name, "file[%x:%lx]", static_cast<unsigned>(*mount), static_cast<unsigned long>(status.st_ino));
  return std::string(name);
}

Status leave_stdio_out(const std::string& process, CriuCall& call) {
  auto mounts = read_file(AT_FDCWD, process + "/mountinfo", 64 << 20);
  if (!mounts) return std::move(mounts.error());
  nlohmann::json names = nlohmann::json::array();
  for (int fd = 0; fd < 3; ++fd) {
    auto name = name_of_stream(process, fd, *mounts);
    if (!name) return std::move(name.error());
    if (name->starts_with("file[")) call.words.insert(call.words.end(), {"--external", *name});
    names.push_back(std::move(*name));
  }
  return write_whole(call.folders.images + "/" + stdio_file, names.dump());
}

Result<std::vector<PlacedCgroup>> cgroups_at(const std::string& path) {
  auto hierarchies = find_all_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  return place_cgroups(*hierarchies, path);
}

}  // namespace

Status check_external(const Config& config) {
  const auto refuse = [](const std::string& what) { return Status(Error{what + " can't be checkpointed or restored", EINVAL}); };
  if (config.process.terminal) return refuse("process.terminal: a terminal, whose other end is with the caller,");
  if (config.namespaces.has(CLONE_NEWUSER)) return refuse("linux.namespaces: a container with a user namespace");
  for (const JoinedNamespace& one : config.namespaces.joined)
    if (one.flag != CLONE_NEWNET) return refuse("linux.namespaces: " + one.path + ", joined by path and no network namespace,");
  for (const Mount& mount : config.mounts)
    if (mount.ids != MountIds::plain) return refuse("mounts: the id-mapped mount on " + mount.destination);
  return ok();
}

Status leave_out(const Container& container, const Config& config, CriuCall& call) {
  const std::string process = "/proc/" + std::to_string(container.pid);
  const UniqueFd root(open((process + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return sys_error("open " + process + "/root");
  auto cgroups = cgroups_at(container.cgroup);
  if (!cgroups) return std::move(cgroups.error());
  auto mounts = external_mounts(config, *cgroups);
  if (!mounts) return std::move(mounts.error());
  for (const External& one : *mounts) {
    auto place = open_in_root(root.get(), one.destination, O_PATH);
    if (!place && place.error().code == ENOENT) continue;  // it has unmounted that, or was never placed in that hierarchy
    if (!place) return Error{"mounts: " + one.destination + ": " + place.error().message, place.error().code};
    auto path = path_of(place->get(), one.destination);
    if (!path) return std::move(path.error());
    call.words.insert(call.words.end(), {"--external", "mnt[" + *path + "]:" + one.destination});
  }
  if (config.namespaces.joined_path(CLONE_NEWNET)) {
    struct stat status;
    if (stat((process + "/ns/net").c_str(), &status) != 0) return sys_error("stat " + process + "/ns/net");
    call.words.insert(call.words.end(), {"--external", "net[" + std::to_string(status.st_ino) + "]:" + network});
  }
  return leave_stdio_out(process, call);
}

Status put_in(const Config& config, const std::vector<PlacedCgroup>& cgroups, CriuCall& call, std::vector<UniqueFd>& held) {
  auto mounts = external_mounts(config, cgroups);
  if (!mounts) return std::move(mounts.error());
  for (const External& one : *mounts) call.words.insert(call.words.end(), {"--external", "mnt[" + one.destination + "]:" + one.source});
  if (const std::string* path = config.namespaces.joined_path(CLONE_NEWNET)) {
    UniqueFd handle(open(path->c_str(), O_RDONLY | O_CLOEXEC));
    if (!handle) return sys_error("linux.namespaces: open " + *path);
    call.words.insert(call.words.end(), {"--inherit-fd", "fd[" + std::to_string(handle.get()) + "]:" + network});
    call.inherited.push_back(handle.get());
    held.push_back(std::move(handle));
  }
  const std::string path = call.folders.images + "/" + stdio_file;
  auto text = read_file(AT_FDCWD, path);
  if (!text) return std::move(text.error());
  const nlohmann::json names = nlohmann::json::parse(*text, nullptr, false);
  if (!names.is_array() || names.size() != 3) return Error{path + " is damaged", EBADMSG};
  for (std::size_t fd = 0; fd < 3; ++fd) {
    if (!names[fd].is_string()) return Error{path + " is damaged", EBADMSG};
    const std::string name = names[fd];
    if (name.starts_with("pipe:[") || name.starts_with("file[")) call.words.insert(call.words.end(), {"--inherit-fd", "fd[" + std::to_string(fd) + "]:" + name});
  }
  return ok();
}

}  // namespace mooring::oci
