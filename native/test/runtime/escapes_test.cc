// Escapes of the years, each named for its CVE: what a naive runtime lets through. Those about mounts, devices and symlinks in the image are in hostile_test.cc.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "bundle.h"
#include "runtime/exec.h"

using namespace mooring;
using namespace mooring::test;

namespace {

Result<Launched> exec_into(const Container& container, const Json& process, int output = -1) {
  return execute({.pid = container.pid(), .pidfd = -1, .process = process.dump(), .stdout_fd = output, .stderr_fd = output});
}

// Runs it and gives back what it wrote.
std::string exec_output(const Container& container, const Json& process) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd reading(ends[0]), writing(ends[1]);
  auto launched = exec_into(container, process, writing.get());
  if (!launched) return launched.error().message;
  writing.reset();
  return Container(std::move(*launched), std::move(reading)).wait().output;
}

}  // namespace

TEST_CASE("CVE-2016-9962: a process of the container looks for the host by way of whatever enters it") {
  // With CAP_SYS_PTRACE it may look into every process that it can see; so none that it sees may have the host's root, folder or open folders.
  Bundle bundle;
  const Json every = {"CAP_SYS_PTRACE", "CAP_KILL", "CAP_DAC_OVERRIDE"};
  bundle.config["process"]["capabilities"] = {{"bounding", every}, {"effective", every}, {"permitted", every}};
  fs::create_directory(bundle.rootfs() / "seen");
  const std::string host = bundle.path() / "config.json";
  const UniqueFd open_folder(open(bundle.path().c_str(), O_RDONLY | O_DIRECTORY));  // not close-on-exec, on purpose
  Json process = bundle.config["process"];
  Container container = bundle.script(
      ": >/seen/ready; while [ ! -e /seen/stop ]; do for p in /proc/[2-9]* /proc/1[0-9]*; do for w in $p/root $p/cwd; do [ -e $w" + host + " ] && echo $w >>/seen/leaks; done; "
      "for f in $p/fd/*; do [ -e $f/config.json -o -e $f" + host + " ] && echo $f >>/seen/leaks; done; done; done; exec sleep 30").start();
  REQUIRE(eventually([&] { return fs::exists(bundle.rootfs() / "seen/ready"); }));
  process["args"] = {"true"};
  for (int i = 0; i < 30; ++i) {
    auto launched = exec_into(container, process);
    if (!launched) FAIL(launched.error().message);
    Container(std::move(*launched), UniqueFd()).wait();
  }
  std::ofstream(bundle.rootfs() / "seen/stop") << "";
  container.stop_at_sleep();
  CHECK(slurp(bundle.rootfs() / "seen/leaks") == "");
}

TEST_CASE("CVE-2019-5736: exec of a script whose interpreter is /proc/self/exe, our program opened for writing by way of it") {
  Bundle bundle;
  std::ofstream(bundle.rootfs() / "bin/evil") << "#!/proc/self/exe\n";
  fs::permissions(bundle.rootfs() / "bin/evil", fs::perms(0755));
  Json process = bundle.config["process"];
  // A process of the container's that waits to find our program behind some /proc/<pid>/exe, and opens it for writing through a descriptor that it keeps.
  Container container = bundle.script(
      "while :; do for e in /proc/[0-9]*/exe; do case $(readlink $e 2>/dev/null) in /bin/busybox|'') ;; *) exec 7<$e; echo x 2>/dev/null >/proc/self/fd/7 && echo overwritten; echo tried; exec sleep 30 ;; esac; done; done").start();
  struct stat before, after;
  REQUIRE(stat("/proc/self/exe", &before) == 0);
  process["args"] = {"/bin/evil"};
  for (int i = 0; i < 10; ++i)
    if (auto launched = exec_into(container, process)) Container(std::move(*launched), UniqueFd()).wait();
  kill(container.pid(), SIGKILL);
  CHECK(container.wait().output.find("overwritten") == std::string::npos);
  REQUIRE(stat("/proc/self/exe", &after) == 0);
  CHECK(before.st_size == after.st_size);
  CHECK(before.st_mtim.tv_sec == after.st_mtim.tv_sec);
  CHECK(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
}

TEST_CASE("CVE-2020-15257: with the host's network, nothing of ours listens on an abstract socket that the container can reach") {
  Bundle bundle;
  bundle.config["linux"]["namespaces"].erase(4);
  bundle.config["mounts"].erase(5);
  Container container = bundle.script("exec sleep 30").start();
  container.await_sleep();
  std::istringstream lines(slurp("/proc/net/unix"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t name = line.find('@');
    if (name == std::string::npos) continue;
    CAPTURE(line);
    const bool ours = line.find("mooring", name) != std::string::npos || line.find(bundle.path().filename().string(), name) != std::string::npos;
    CHECK(!ours);
  }
}

TEST_CASE("CVE-2022-0492: a new user namespace inside gives no way to a cgroup hierarchy and its release_agent") {
  Bundle bundle;
  bundle.config["process"]["noNewPrivileges"] = false;
  bundle.map_users();
  const Ended ended = bundle.script(
      "mkdir /tmp/c; for c in memory rdma cpu pids; do unshare -UrmC sh -c \"mount -t cgroup -o $c none /tmp/c 2>/dev/null && echo mounted $c && echo /x >/tmp/c/release_agent && echo written $c\"; done; "
      "for f in /sys/fs/cgroup/*/release_agent /sys/fs/cgroup/release_agent; do [ -e $f ] && echo there $f; done; echo done").run();
  CHECK(ended.output.find("written") == std::string::npos);
  CHECK(ended.output.find("there") == std::string::npos);
  CHECK(ended.output.find("done") != std::string::npos);
}

TEST_CASE("CVE-2025-31133: a mask made of a /dev/null that is something else would show the file, or let it be written") {
  Bundle bundle;
  // /dev is a bind of a folder that a neighbour holds: nothing of ours is made in it, and its "null" leads to a file of the host's.
  const fs::path dev = bundle.path() / "dev", target = bundle.path() / "target";
  fs::create_directory(dev);
  std::ofstream(target) << "host\n";
  SUBCASE("a symlink") { fs::create_symlink(target, dev / "null"); }
  SUBCASE("a file") { fs::copy_file(target, dev / "null"); }
  SUBCASE("a device, but another one") { REQUIRE(mknod((dev / "null").c_str(), S_IFCHR | 0666, makedev(1, 8)) == 0); }
  SUBCASE("nothing") {}
  bundle.config["mounts"] = {bundle.config["mounts"][0], {{"destination", "/dev"}, {"type", "bind"}, {"source", dev}, {"options", {"rbind"}}}};
  bundle.config["process"]["args"] = {"true"};
  CHECK(bundle.error().find("/dev/null") != std::string::npos);
  CHECK(slurp(target) == "host\n");
}

TEST_CASE("CVE-2025-52881: writes to procfs go to the kernel's, whatever the rootfs or a shared volume has at /proc") {
  Bundle bundle;
  // A neighbour keeps swapping what lies at the image's /proc: a folder with a "sys" that leads to a file it wants written.
  const fs::path trap = bundle.path() / "trap", canary = bundle.path() / "canary";
  fs::create_directories(trap / "sys/net/ipv4");
  std::ofstream(canary) << "untouched";
  fs::create_symlink(canary, trap / "sys/net/ipv4/ip_unprivileged_port_start");
  fs::create_directories(trap / "self/attr");
  fs::create_symlink(canary, trap / "self/oom_score_adj");
  const fs::path proc = bundle.rootfs() / "proc", link = bundle.rootfs() / "proc-link";
  fs::create_directory_symlink("../trap", link);
  bundle.config["linux"]["sysctl"] = {{"net.ipv4.ip_unprivileged_port_start", "77"}};
  bundle.config["process"]["oomScoreAdj"] = 321;
  const pid_t neighbour = fork();
  if (neighbour == 0)
    for (;;) renameat2(AT_FDCWD, proc.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
  int started = 0;
  for (int i = 0; i < 40; ++i) {
    auto launched = bundle.try_launch();
    if (!launched) continue;  // a /proc that is a link at that moment is refused
    ++started;
    Container(std::move(*launched), UniqueFd()).wait();
  }
  kill(neighbour, SIGKILL);
  waitpid(neighbour, nullptr, 0);
  CHECK(started > 0);
  CHECK(slurp(canary) == "untouched");
}

TEST_CASE("CVE-2025-31133: /proc is swapped away when the masks come, and back: they are on procfs itself") {
  Bundle bundle;
  const fs::path proc = bundle.rootfs() / "proc", other = bundle.rootfs() / "other";
  fs::create_directory(other);
  const pid_t neighbour = fork();
  if (neighbour == 0)
    for (;;) renameat2(AT_FDCWD, proc.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
  for (int i = 0; i < 25; ++i) {
    auto launched = bundle.script("exec sleep 30").try_launch();
    if (!launched) continue;
    Container container(std::move(*launched), UniqueFd());
    container.await_sleep();
    // Wherever procfs is now, its "keys" is covered and its "irq" read-only.
    const std::string mounts = container.proc("mountinfo");
    const auto count = [&](const std::string& text) {
      int found = 0;
      for (std::size_t at = 0; (at = mounts.find(text, at)) != std::string::npos; ++at) ++found;
      return found;
    };
    CHECK(count("/keys ") == 1);
    CHECK(count("/irq ") == 2);  // as what is mounted, and as where
  }
  kill(neighbour, SIGKILL);
  waitpid(neighbour, nullptr, 0);
}

TEST_CASE("CVE-2025-52565: /dev/console and the ptys are not looked up by names that somebody can swap") {
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  const fs::path canary = bundle.path() / "canary";
  std::ofstream(canary) << "untouched";
  // /dev is the image's own, with a console that leads away.
  bundle.config["mounts"].erase(1);
  fs::create_directories(bundle.rootfs() / "dev/pts");
  fs::create_symlink(canary, bundle.rootfs() / "dev/console");
  CHECK(bundle.error() == "/dev/console in the rootfs is a symlink");
  CHECK(slurp(canary) == "untouched");
}

TEST_CASE("CVE-2026-47766: /dev of the image is a symlink to where a volume of the host's will be mounted") {
  Bundle bundle;
  const fs::path volume = bundle.path() / "volume";
  fs::create_directory(volume);
  std::ofstream(volume / "ptmx") << "mine";
  fs::remove(bundle.rootfs() / "dev");
  fs::create_directories(bundle.rootfs() / "vol");
  fs::create_directory_symlink("/vol", bundle.rootfs() / "dev");
  SUBCASE("with a tmpfs at /dev") {}
  SUBCASE("without") { bundle.config["mounts"] = {bundle.config["mounts"][0]}; }
  bundle.add_mount({{"destination", "/vol"}, {"type", "bind"}, {"source", volume}, {"options", {"rbind", "rw"}}});
  const std::string message = bundle.error();
  CAPTURE(message);
  CHECK((message == "mounts[1] (/dev): /dev must be an ordinary folder in the rootfs, and is a symlink" || message == "make device /dev/null: open /dev/ in the rootfs: Too many levels of symbolic links"));
  CHECK(std::distance(fs::directory_iterator(volume), {}) == 1);
  CHECK(slurp(volume / "ptmx") == "mine");
}

TEST_CASE("CVE-2026-30892: exec runs as the ids that it was given, and as nobody else") {
  Bundle bundle;
  std::ofstream(bundle.rootfs() / "etc/passwd") << "root:x:0:0::/:/bin/sh\n1000:x:0:0::/:/bin/sh\nuser:x:0:0::/:/bin/sh\n";
  std::ofstream(bundle.rootfs() / "etc/group") << "root:x:0:user,1000\n1001:x:0:user\n";
  Container container = bundle.script("exec sleep 30").start();
  container.await_sleep();
  Json process = bundle.config["process"];
  process["args"] = {"sh", "-c", "id -u; id -g; id -G"};
  struct Form {
    Json user;
    const char* output;
  };
  const Form forms[] = {
      {{{"uid", 0}, {"gid", 0}}, "0\n0\n0\n"},
      {{{"uid", 1000}}, "1000\n0\n0\n"},
      {{{"uid", 1000}, {"gid", 1001}}, "1000\n1001\n1001\n"},
      {{{"gid", 1001}}, "0\n1001\n1001\n"},
      {{{"uid", 1000}, {"gid", 1001}, {"additionalGids", {0, 5}}}, "1000\n1001\n1001 0 5\n"},
      {{{"uid", 4294967294}, {"gid", 4294967294}}, "4294967294\n4294967294\n4294967294\n"},
      {{{"username", "user"}, {"uid", 7}, {"gid", 8}}, "7\n8\n8\n"},
  };
  for (const Form& form : forms) {
    CAPTURE(form.user.dump());
    process["user"] = form.user;
    CHECK(exec_output(container, process) == form.output);
  }
  // -1 stands for "leave it as it is" in setresuid(2): it would stay root.
  process["user"] = {{"uid", 4294967295}, {"gid", 1}};
  CHECK(exec_output(container, process) == "process.user.uid: 4294967295 is no id");
  process["user"] = {{"uid", 1}, {"gid", 4294967295}};
  CHECK(exec_output(container, process) == "process.user.gid: 4294967295 is no id");
}
