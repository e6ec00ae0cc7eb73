#include "bundle.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <thread>

namespace mooring::test {
namespace {

// How many times longer than on a usual machine to wait, as in test/support/patience.ts.
int patience() {
  const char* set = std::getenv("MOORING_TEST_PATIENCE");
  return set ? std::atoi(set) : 1;
}

const std::vector<std::string> controllers = {"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd", "unified", "."};  // ".": on a host of v2 alone

void remove_cgroup(const std::string& cgroup) {
  for (const std::string& controller : controllers) {
    const std::string leaf = "/sys/fs/cgroup/" + controller + cgroup;
    // A killed process leaves its cgroup a moment after it was reaped.
    CHECK(eventually([&] { return rmdir(leaf.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR; }));
    rmdir(fs::path(leaf).parent_path().c_str());  // stays as long as another bundle of this test lives
  }
}

}  // namespace

Container::~Container() {
  if (launched_.pid <= 0) return;
  kill(launched_.pid, SIGKILL);
  waitpid(launched_.pid, nullptr, 0);
}

void Container::await_sleep() const { CHECK(eventually([&] { return proc("comm") == "sleep\n"; })); }

Ended Container::stop_at_sleep() {
  await_sleep();
  kill(launched_.pid, SIGKILL);
  return wait();
}

Ended Container::wait() {
  Ended ended;
  char buffer[4096];
  pollfd waiting{output_.get(), POLLIN, 0};
  while (output_ && poll(&waiting, 1, 20000 * patience()) > 0) {
    const ssize_t got = read(output_.get(), buffer, sizeof buffer);
    if (got <= 0) break;
    ended.output.append(buffer, static_cast<std::size_t>(got));
  }
  int status = 0;
  REQUIRE(waitpid(launched_.pid, &status, 0) == launched_.pid);
  launched_.pid = -1;
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

std::string Container::proc(const std::string& name) const { return slurp("/proc/" + std::to_string(launched_.pid) + "/" + name); }

std::string Container::status(const std::string& name) const {
  const std::string text = "\n" + proc("status");
  const std::size_t at = text.find("\n" + name + ":\t");
  if (at == std::string::npos) return "(no " + name + ")";
  const std::size_t begin = at + name.size() + 3;
  return text.substr(begin, text.find('\n', begin) - begin);
}

Bundle::Bundle() {
  static int count = 0;
  path_ = fs::temp_directory_path() / ("mooring-test-" + std::to_string(getpid()) + "-" + std::to_string(++count));
  cgroup_ = "/mooring-test-" + std::to_string(getpid()) + "/" + std::to_string(count);
  for (const char* folder : {"bin", "etc", "proc", "sys", "dev", "tmp", "root", "run"}) fs::create_directories(rootfs() / folder);
  fs::permissions(rootfs() / "tmp", fs::perms(01777));
  fs::copy_file("/bin/busybox", rootfs() / "bin/busybox");
  for (const char* name : {"sh", "true", "cat", "ls", "echo", "sleep", "id", "mount", "stat", "touch", "hostname", "readlink", "ulimit", "mknod", "dd", "tty", "head", "chown", "su", "unshare", "umount", "grep", "mkdir"})
    fs::create_symlink("busybox", rootfs() / "bin" / name);
  config = Json::parse(R"({
    "ociVersion": "1.2.0",
    "process": {"terminal": false, "user": {"uid": 0, "gid": 0}, "args": ["true"], "env": ["PATH=/bin", "HOME=/root"], "cwd": "/", "noNewPrivileges": true,
      "capabilities": {"bounding": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_CHOWN", "CAP_KILL"], "permitted": ["CAP_CHOWN", "CAP_KILL"]}},
    "root": {"path": "rootfs"},
    "hostname": "moored",
    "mounts": [
      {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
      {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
      {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
      {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
      {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
      {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
      {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]}],
    "linux": {
      "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network"}, {"type": "cgroup"}],
      "resources": {},
      "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/acpi", "/sys/firmware", "/proc/nothing-of-that-name"],
      "readonlyPaths": ["/proc/sys", "/proc/irq", "/proc/sysrq-trigger"]}})");
  config["linux"]["cgroupsPath"] = cgroup_;
}

Bundle::~Bundle() {
  remove_cgroup(cgroup_);
  fs::remove_all(path_);
}

Bundle& Bundle::script(const std::string& text) {
  config["process"]["args"] = {"sh", "-c", text};
  return *this;
}

Bundle& Bundle::add_mount(Json mount) {
  config["mounts"].push_back(std::move(mount));
  return *this;
}

Bundle& Bundle::map_users() {
  const auto give = [](const fs::path& path) { REQUIRE(lchown(path.c_str(), outside_root, outside_root) == 0); };
  give(rootfs());
  for (const auto& entry : fs::recursive_directory_iterator(rootfs())) give(entry.path());
  auto& linux = config["linux"];
  linux["namespaces"].push_back({{"type", "user"}});
  for (const char* kind : {"uidMappings", "gidMappings"}) linux[kind] = {{{"containerID", 0}, {"hostID", outside_root}, {"size", 65536}}};
  return *this;
}

Result<Launched> Bundle::try_launch(int output) {
  std::ofstream(path_ / "config.json") << config;
  return launch({.id = path_.filename(), .bundle = path_, .stdin_fd = -1, .stdout_fd = output, .stderr_fd = output});
}

Container Bundle::start() {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  auto launched = try_launch(writing.get());
  if (!launched) FAIL(launched.error().message);
  return Container(std::move(*launched), std::move(reading));
}

Ended Bundle::run() { return start().wait(); }

std::string Bundle::error() {
  auto launched = try_launch();
  if (!launched) return launched.error().message;
  Container(std::move(*launched), UniqueFd()).wait();
  return "";
}

fs::path cgroup_folder(const std::string& controller, const std::string& cgroup) {
  const fs::path v1 = "/sys/fs/cgroup/" + controller + cgroup;
  return fs::exists(v1) ? v1 : fs::path("/sys/fs/cgroup" + cgroup);
}

std::string slurp(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool eventually(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10 * patience());
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace mooring::test
