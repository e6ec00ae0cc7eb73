#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fstream>

#include "bundle.h"
#include "runtime/exec.h"

using namespace mooring;
using namespace mooring::test;

namespace {

std::string namespace_of(pid_t pid, const std::string& name) { return fs::read_symlink("/proc/" + std::to_string(pid) + "/ns/" + name); }

// A process in new namespaces of its own, in the host's user namespace.
class Holder {
 public:
  explicit Holder(int flags) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const UniqueFd reading(ends[0]);
    UniqueFd writing(ends[1]);
    pid_ = fork();
    if (pid_ == 0) {
      const bool made = unshare(flags) == 0 && (!(flags & CLONE_NEWNS) || mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) == 0);
      if (!made || write(writing.get(), "", 1) != 1) _exit(1);
      for (;;) pause();
    }
    writing.reset();
    char byte;
    REQUIRE(read(reading.get(), &byte, 1) == 1);
  }
  ~Holder() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  std::string path(const std::string& name) const { return "/proc/" + std::to_string(pid_) + "/ns/" + name; }

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("a time namespace: its clocks are set off, for the first process and for exec") {
  Bundle bundle;
  bundle.config["linux"]["namespaces"].push_back({{"type", "time"}});
  bundle.config["linux"]["timeOffsets"] = {{"monotonic", {{"secs", 100000}, {"nanosecs", 5}}}, {"boottime", {{"secs", 1000000000}}}};
  Container container = bundle.script("cat /proc/self/timens_offsets; cat /proc/uptime; exec sleep 30").start();
  container.await_sleep();
  CHECK(namespace_of(container.pid(), "time") != namespace_of(getpid(), "time"));
  Json process = bundle.config["process"];
  process["args"] = {"sleep", "30"};
  auto launched = execute({.pid = container.pid(), .process = process.dump()});
  if (!launched) FAIL(launched.error().message);
  {
    const Container inside(std::move(*launched), UniqueFd());  // ends first: a pid namespace's first process waits for all others to be reaped
    CHECK(namespace_of(inside.pid(), "time") == namespace_of(container.pid(), "time"));
  }
  const std::string output = container.stop_at_sleep().output;
  CHECK(output.find("monotonic      100000         5\nboottime   1000000000         0\n10000") == 0);  // uptime is above 10^9 s
}

TEST_CASE("time offsets that can't be are refused by field") {
  Bundle bundle;
  auto& linux = bundle.config["linux"];
  linux["timeOffsets"] = {{"monotonic", {{"secs", 1}}}};
  CHECK(bundle.error() == "config.json: linux.timeOffsets: needs a new time namespace in linux.namespaces");
  linux["namespaces"].push_back({{"type", "time"}});
  linux["timeOffsets"] = {{"realtime", {{"secs", 1}}}};
  CHECK(bundle.error() == "config.json: linux.timeOffsets.realtime: must be \"monotonic\" or \"boottime\"; no other clock has an offset");
  linux["timeOffsets"] = {{"monotonic", {{"secs", -1000000000000}}}};
  CHECK(bundle.error() == "linux.timeOffsets: write \"monotonic -1000000000000 0\n\" to /proc/self/timens_offsets: Numerical result out of range");
}

TEST_CASE("every namespace but the user's is joined by path") {
  const Holder holder(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP);
  Bundle other, bundle;
  other.config["linux"]["namespaces"].push_back({{"type", "time"}});
  Container owner = other.script("exec sleep 30").start();
  owner.await_sleep();
  const std::string of_owner = "/proc/" + std::to_string(owner.pid()) + "/ns/";
  const fs::path source = bundle.path() / "source";
  fs::create_directories(source);
  std::ofstream(source / "file") << "from the host\n";
  bundle.add_mount({{"destination", "/mnt"}, {"type", "bind"}, {"source", source}, {"options", {"rbind"}}});
  bundle.config["linux"]["namespaces"] = {{{"type", "mount"}, {"path", holder.path("mnt")}}, {{"type", "ipc"}, {"path", holder.path("ipc")}},         {{"type", "uts"}, {"path", holder.path("uts")}},
                                          {{"type", "network"}, {"path", holder.path("net")}}, {{"type", "cgroup"}, {"path", holder.path("cgroup")}}, {{"type", "pid"}, {"path", of_owner + "pid"}},
                                          {{"type", "time"}, {"path", of_owner + "time"}}};
  Container container = bundle.script("cat /mnt/file; ls /bin/busybox; exec sleep 30").start();
  container.await_sleep();
  for (const char* name : {"mnt", "ipc", "uts", "net", "cgroup"}) {
    CAPTURE(name);
    CHECK(namespace_of(container.pid(), name) == namespace_of(holder.pid(), name));
  }
  for (const char* name : {"pid", "time"}) {
    CAPTURE(name);
    CHECK(namespace_of(container.pid(), name) == namespace_of(owner.pid(), name));
  }
  CHECK(slurp("/proc/self/mountinfo").find(bundle.path()) == std::string::npos);
  CHECK(container.stop_at_sleep().output == "from the host\n/bin/busybox\n");
}

TEST_CASE("a path that is no namespace of the type asked for is refused in words") {
  Bundle bundle;
  Json& net = bundle.config["linux"]["namespaces"][4];
  const auto refuse = [&](const std::string& path, const std::string& message) {
    net["path"] = path;
    CHECK(bundle.error() == "linux.namespaces: " + message);
  };
  refuse("/proc/self/ns/ipc", "/proc/self/ns/ipc is a namespace of type ipc, not network");
  refuse("/etc/passwd", "/etc/passwd is not a namespace");
  refuse("/proc/self/status", "/proc/self/status is not a namespace");
  refuse("/nothing/there", "open /nothing/there: No such file or directory");
  REQUIRE(mkfifo((bundle.path() / "fifo").c_str(), 0600) == 0);  // opening it would wait for a writer
  refuse(bundle.path() / "fifo", (bundle.path() / "fifo").string() + " is not a namespace");
  net["path"] = "relative";
  CHECK(bundle.error() == "config.json: linux.namespaces[4].path: must be an absolute path");
}
