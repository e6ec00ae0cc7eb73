#include "container.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "monitor/start_time.h"
#include "runtime/cgroup_control.h"
#include "runtime/files.h"
#include "runtime/unique_fd.h"

namespace mooring::oci {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

Json describe(const Container& container) {
  const State state = container.state();
  Json json = {{"ociVersion", "1.2.0"},      {"id", container.id},           {"pid", state == State::stopped ? 0 : container.pid}, {"status", name_of(state)},
               {"bundle", container.bundle}, {"rootfs", container.rootfs}, {"created", container.created}, {"owner", ""}};
  if (!container.annotations.empty()) json["annotations"] = container.annotations;
  return json;
}

Error no_such(const std::string& id) { return Error{"container \"" + id + "\" does not exist", ENOENT}; }

UniqueFd open_folder(const Container& container) { return UniqueFd(open(container.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }

// What save() has written.
void fill(Container& container, const Json& json) {
  container.bundle = json.value("bundle", "");
  container.rootfs = json.value("rootfs", "");
  container.cgroup = json.value("cgroup", "");
  container.scope = json.value("scope", "");
  container.created = json.value("created", "");
  container.pid = json.value("pid", 0);
  container.start_time = json.value("startTime", 0ULL);
  container.annotations = json.value("annotations", container.annotations);
}

// A path may be no UTF-8, which JSON has to be.
std::string printed(const Json& json, int indent) { return json.dump(indent, ' ', false, Json::error_handler_t::replace); }

// Somebody is about to make it.
bool is_locked(const Container& container) {
  const UniqueFd folder = open_folder(container);
  return folder && flock(folder.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace

const char* name_of(State state) {
  switch (state) {
    case State::creating: return "creating";
    case State::created: return "created";
    case State::running: return "running";
    case State::paused: return "paused";
    case State::stopped: return "stopped";
  }
  return "";
}

unsigned long long start_time_of(pid_t pid) {
  auto text = read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/stat");
  if (!text) return 0;
  // Field 2, the name, may hold anything; field 3, the state, follows its last parenthesis.
  const std::size_t state = text->rfind(')') + 2;
  if (state < text->size() && ((*text)[state] == 'Z' || (*text)[state] == 'X')) return 0;
  return static_cast<unsigned long long>(std::max(parse_start_time(*text), 0LL));
}

State Container::state(bool locked) const {
  if (pid == 0) return !locked && is_locked(*this) ? State::creating : State::stopped;  // the latter: its create was killed
  if (start_time_of(pid) != start_time) return State::stopped;
  if (access(fifo().c_str(), F_OK) == 0) return State::created;
  auto frozen = is_frozen(cgroup);
  return frozen && *frozen ? State::paused : State::running;
}

Status check_id(const std::string& id) {
  const bool plain = std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isalnum(c) || std::strchr("_+-.", c); });
  if (id.empty() || !plain || id == "." || id == ".." || id.size() > 255) return Error{"container id \"" + id + "\" must be made of letters, digits and _ + - ."};
  return ok();
}

Result<Container> load_container(const std::string& root, const std::string& id) {
  MOORING_TRY(check_id(id));
  Container container;
  container.id = id;
  container.folder = root + "/" + id;
  auto text = read_file(AT_FDCWD, container.folder + "/state.json");
  if (!text && text.error().code == ENOENT) {
    if (access(container.folder.c_str(), F_OK) == 0) return container;  // create is at it, or it or delete was killed
    return no_such(id);
  }
  if (!text) return std::move(text.error());
  const Json json = Json::parse(*text, nullptr, false);
  const Error damaged{container.folder + "/state.json is damaged; remove the container with delete --force", EBADMSG};
  if (!json.is_object()) return damaged;
  try {
    fill(container, json);
  } catch (const Json::type_error&) {
    return damaged;
  }
  return container;
}

std::vector<std::string> list_containers(const std::string& root) {
  std::vector<std::string> ids;
  std::error_code none;  // no folder: no container
  for (const auto& entry : fs::directory_iterator(root, none))
    if (entry.is_directory() && check_id(entry.path().filename())) ids.push_back(entry.path().filename());  // others are being removed
  std::sort(ids.begin(), ids.end());
  return ids;
}

void ContainerLock::release() {
  if (folder_) flock(folder_.get(), LOCK_UN);
  folder_.reset();
}

Result<ContainerLock> lock_container(const Container& container) {
  UniqueFd folder = open_folder(container);
  if (!folder) return errno == ENOENT ? no_such(container.id) : sys_error("open " + container.folder);
  while (flock(folder.get(), LOCK_EX) != 0)
    if (errno != EINTR) return sys_error("lock " + container.folder);
  struct stat held, there;
  if (fstat(folder.get(), &held) != 0) return sys_error("stat " + container.folder);
  if (stat(container.folder.c_str(), &there) != 0 || held.st_ino != there.st_ino) return no_such(container.id);
  return ContainerLock(std::move(folder));
}

Result<ContainerLock> make_folder(const Container& container) {
  std::error_code failed;
  fs::create_directories(fs::path(container.folder).parent_path(), failed);
  if (failed) return Error{"make folder " + fs::path(container.folder).parent_path().string() + ": " + failed.message(), failed.value()};
  if (mkdir(container.folder.c_str(), 0700) == 0) return lock_container(container);
  return errno == EEXIST ? Error{"container \"" + container.id + "\" already exists", EEXIST} : sys_error("make folder " + container.folder);
}

Status save(const Container& container) {
  Json json = describe(container);
  json["pid"] = container.pid;
  json["startTime"] = container.start_time;
  json["cgroup"] = container.cgroup;
  if (!container.scope.empty()) json["scope"] = container.scope;
  return write_whole(container.folder + "/state.json", printed(json, -1));
}

Status remove_folder(const Container& container) {
  // Out of sight in one step: one that is half removed would look like one that is half made.
  const std::string removed = container.folder + "~";
  std::error_code failed;
  fs::remove_all(removed, failed);  // of a delete that was killed
  if (!failed) fs::rename(container.folder, removed, failed);
  if (!failed) fs::remove_all(removed, failed);
  return failed ? Status(Error{"remove " + container.folder + ": " + failed.message(), failed.value()}) : ok();
}

Status write_whole(const std::string& path, const std::string& text) {
  const std::string temporary = path + "." + std::to_string(getpid());
  {
    const UniqueFd file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file) return sys_error("open " + temporary);
    if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return sys_error("write " + temporary);
  }
  return rename(temporary.c_str(), path.c_str()) == 0 ? ok() : Status(sys_error("rename " + temporary + " to " + path));
}

std::string to_json(const Container& container) { return printed(describe(container), 2); }

}  // namespace mooring::oci
