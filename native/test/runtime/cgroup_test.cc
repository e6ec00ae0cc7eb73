#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "bundle.h"
#include "runtime/cgroup.h"

using namespace mooring;
using namespace mooring::test;

namespace {

bool on_v1() { return fs::exists("/sys/fs/cgroup/memory"); }

Json limits() { return {{"cpu", {{"shares", 512}, {"quota", 50000}, {"period", 200000}}}, {"memory", {{"limit", 64 << 20}, {"reservation", 32 << 20}}}, {"pids", {{"limit", 50}}}}; }

}  // namespace

TEST_CASE("limits are written, the process is in its cgroups, and sees them as its root") {
  Bundle bundle;
  bundle.config["linux"]["resources"] = limits();
  Container container = bundle.script("cat /proc/self/cgroup; exec sleep 30").start();
  const auto file = [&](const char* controller, const char* v1, const char* v2) { return slurp(cgroup_folder(controller, bundle.cgroup()) / (on_v1() ? v1 : v2)); };
  if (on_v1()) {
    CHECK(file("cpu", "cpu.shares", "") == "512\n");
    CHECK(file("cpu", "cpu.cfs_quota_us", "") == "50000\n");
    CHECK(file("cpu", "cpu.cfs_period_us", "") == "200000\n");
    CHECK(file("memory", "memory.soft_limit_in_bytes", "") == "33554432\n");
  } else {
    CHECK(file("cpu", "", "cpu.max") == "50000 200000\n");
    CHECK(file("memory", "", "memory.low") == "33554432\n");
  }
  CHECK(file("memory", "memory.limit_in_bytes", "memory.max") == "67108864\n");
  CHECK(file("pids", "pids.max", "pids.max") == "50\n");
  container.await_sleep();
  for (const char* controller : {"cpu", "memory", "pids", "devices", "freezer", "cpuset"}) CHECK(slurp(cgroup_folder(controller, bundle.cgroup()) / "cgroup.procs") == std::to_string(container.pid()) + "\n");
  CHECK(container.launched().memory_cgroup == cgroup_folder("memory", bundle.cgroup()));
  const std::string seen = container.stop_at_sleep().output;
  CHECK(seen.find("mooring") == std::string::npos);
  CHECK(seen.find(on_v1() ? ":memory:/\n" : "0::/\n") != std::string::npos);
}

TEST_CASE("a cgroup that is there is used again, and gets this start's limits") {
  Bundle bundle;
  bundle.config["linux"]["resources"] = limits();
  bundle.run();
  bundle.config["linux"]["resources"] = {{"memory", {{"limit", 128 << 20}}}};
  Container container = bundle.script("exec sleep 30").start();
  const auto limit = [&](const char* controller, const char* v1, const char* v2) { return slurp(cgroup_folder(controller, bundle.cgroup()) / (on_v1() ? v1 : v2)); };
  CHECK(limit("memory", "memory.limit_in_bytes", "memory.max") == "134217728\n");
  CHECK(limit("cpu", "cpu.cfs_quota_us", "cpu.max") == (on_v1() ? "-1\n" : "max 100000\n"));
  CHECK(limit("cpu", "cpu.shares", "cpu.weight") == (on_v1() ? "1024\n" : "100\n"));
  CHECK(limit("pids", "pids.max", "pids.max") == "max\n");
}

TEST_CASE("a pids limit of one lets one process run") {
  Bundle bundle;
  bundle.config["linux"]["resources"]["pids"]["limit"] = 1;
  CHECK(bundle.script("echo one; ls & ").run().output.find("one\nsh: can't fork") == 0);
}

TEST_CASE("too much memory kills, and the kernel's count says so") {
  Bundle bundle;
  bundle.config["linux"]["resources"]["memory"]["limit"] = 16 << 20;
  Container container = bundle.script("exec dd if=/dev/zero of=/dev/null bs=100M count=1").start();
  const std::string folder = container.launched().memory_cgroup;
  CHECK(container.wait().status == 128 + SIGKILL);
  auto kills = oom_kills(folder);
  REQUIRE(kills);
  CHECK(*kills >= 1);
}

TEST_CASE("only listed devices open; nodes may be made") {
  Bundle bundle;
  auto& capabilities = bundle.config["process"]["capabilities"];
  for (const char* set : {"bounding", "effective", "permitted"}) capabilities[set] = {"CAP_MKNOD", "CAP_DAC_OVERRIDE"};
  bundle.script("mknod /root/tun c 10 200 && true </root/tun && true <>/dev/zero && echo opened");
  SUBCASE("by default the usual ones") {
    const std::string seen = bundle.run().output;
    CHECK(seen.find("/root/tun: Operation not permitted") != std::string::npos);
  }
  SUBCASE("and what the list adds") {
    bundle.config["linux"]["resources"]["devices"] = {{{"allow", false}, {"access", "rwm"}}, {{"allow", true}, {"type", "c"}, {"major", 10}, {"minor", 200}, {"access", "r"}}};
    CHECK(bundle.run().output == "opened\n");
    CHECK(bundle.script("echo >/root/tun").run().output.find("/root/tun: Operation not permitted") != std::string::npos);
  }
}

TEST_CASE("the cgroup mount shows the container's own cgroups only") {
  Bundle bundle;
  bundle.config["linux"]["resources"] = limits();
  const std::string path = on_v1() ? "/sys/fs/cgroup/memory/memory.limit_in_bytes" : "/sys/fs/cgroup/memory.max";
  const Ended ended = bundle.script("cat " + path + "; echo 1 >" + path + "; ls /sys/fs/cgroup/memory/release_agent").run();
  CHECK(ended.output.find("67108864\n") == 0);
  CHECK(ended.output.find("Read-only file system") != std::string::npos);
  CHECK(ended.output.find("release_agent: No such file or directory") != std::string::npos);
}

TEST_CASE("limits in the words of cgroup v2") {
  // Plain files in place of the kernel's, which may lack these controllers on v2.
  const Bundle bundle;
  const auto file = [&](const char* name) { return bundle.path() / name; };
  for (const char* name : {"cpu.max", "cpu.weight", "cpuset.cpus", "cpuset.mems", "memory.max", "memory.low", "memory.swap.max", "pids.max", "memory.high"}) std::ofstream(file(name)) << "";
  const UniqueFd folder(open(bundle.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const Hierarchy hierarchy{"", {"cpu", "cpuset", "memory", "pids"}, true};
  Resources asked;
  asked.cpu_quota = 50000;
  asked.cpu_shares = 1024;
  asked.memory_limit = 1 << 20;
  asked.memory_swap = 3 << 20;
  asked.memory_reservation = 4096;
  asked.pids_limit = 7;
  asked.cpuset_cpus = "0-1";
  asked.unified = {{"memory.high", "9"}};
  SUBCASE("what is asked for, and nothing else in a new folder") {
    REQUIRE(limit_v2(hierarchy, folder.get(), "x", false, asked));
    CHECK(slurp(file("cpu.max")) == "50000");
    CHECK(slurp(file("cpu.weight")) == "39");
    CHECK(slurp(file("memory.max")) == "1048576");
    CHECK(slurp(file("memory.swap.max")) == "2097152");
    CHECK(slurp(file("memory.low")) == "4096");
    CHECK(slurp(file("memory.high")) == "9");
    CHECK(slurp(file("pids.max")) == "7");
    CHECK(slurp(file("cpuset.cpus")) == "0-1");
    CHECK(slurp(file("cpuset.mems")).empty());
  }
  SUBCASE("-1 is no limit, and a folder used again gets the kernel's defaults back") {
    asked = {};
    asked.memory_limit = -1;
    REQUIRE(limit_v2(hierarchy, folder.get(), "x", true, asked));
    CHECK(slurp(file("cpu.max")) == "max 100000");
    CHECK(slurp(file("cpu.weight")) == "100");
    CHECK(slurp(file("memory.max")) == "max");
    CHECK(slurp(file("memory.swap.max")) == "max");
    CHECK(slurp(file("pids.max")) == "max");
  }
  SUBCASE("swap below memory") {
    asked.memory_swap = 1;
    auto done = limit_v2(hierarchy, folder.get(), "x", false, asked);
    REQUIRE(!done);
    CHECK(done.error().message == "linux.resources.memory.swap: is memory and swap together, so it can't be below memory.limit");
  }
}

TEST_CASE("a cgroup of v2 that holds processes passes no controllers on, and the reason is told") {
  if (on_v1()) return;  // its v2 may have no controller to pass on
  const auto hierarchies = find_hierarchies();
  REQUIRE(hierarchies);
  const std::string path = "/mooring-test-busy-" + std::to_string(getpid()), folder = hierarchies->front().mount_point + path;
  bool reused = false;
  REQUIRE(make_v2(hierarchies->front(), path, reused));
  CHECK(!reused);
  const pid_t child = fork();
  if (child == 0) pause();
  std::ofstream(folder + "/cgroup.procs") << child << std::flush;
  const auto below = make_v2(hierarchies->front(), path + "/below", reused);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  REQUIRE(!below);
  CHECK(below.error().message.find(folder + "/cgroup.subtree_control: Device or resource busy (processes are in this very cgroup;") != std::string::npos);
  CHECK(eventually([&] { return rmdir(folder.c_str()) == 0; }));
}

TEST_CASE("the device program of cgroup v2 decides by the last rule that speaks of a device and a letter") {
  const std::string root = fs::exists("/sys/fs/cgroup/unified") ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup";
  const std::string folder = root + "/mooring-test-devices-" + std::to_string(getpid());
  REQUIRE(mkdir(folder.c_str(), 0755) == 0);
  {
    const UniqueFd handle(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // In a child, which goes with its membership.
    const auto can_open = [&](const std::vector<DeviceRule>& rules, const char* device, int flags) {
      REQUIRE(set_device_program(handle.get(), folder, rules));
      const pid_t child = fork();
      if (child == 0) {
        std::ofstream(folder + "/cgroup.procs") << "0" << std::flush;
        _exit(open(device, flags | O_CLOEXEC) >= 0 ? 0 : errno);
      }
      int status = 0;
      waitpid(child, &status, 0);
      return WEXITSTATUS(status);
    };
    const DeviceRule nothing{false, 'a', {}, {}, "rwm"}, all{true, 'a', {}, {}, "rwm"}, zero{true, 'c', 1, 5, "rwm"}, read_zero{true, 'c', 1, 5, "r"}, write_zero{true, 'c', {}, 5, "w"};
    CHECK(can_open({nothing}, "/dev/zero", O_RDONLY) == EPERM);
    CHECK(can_open({nothing, zero}, "/dev/zero", O_RDWR) == 0);
    CHECK(can_open({nothing, zero}, "/dev/null", O_RDONLY) == EPERM);
    CHECK(can_open({nothing, read_zero}, "/dev/zero", O_RDONLY) == 0);
    CHECK(can_open({nothing, read_zero}, "/dev/zero", O_RDWR) == EPERM);
    CHECK(can_open({nothing, read_zero, write_zero}, "/dev/zero", O_RDWR) == 0);
    CHECK(can_open({nothing, all, {false, 'c', 1, 5, "w"}}, "/dev/zero", O_RDONLY) == 0);
    CHECK(can_open({nothing, all, {false, 'c', 1, 5, "w"}}, "/dev/zero", O_WRONLY) == EPERM);
    CHECK(can_open({nothing, all}, "/dev/null", O_RDWR) == 0);
    CHECK(can_open(effective_device_rules({}), "/dev/null", O_RDWR) == 0);
    CHECK(can_open(effective_device_rules({}), "/dev/kmsg", O_RDONLY) == EPERM);
  }
  CHECK(eventually([&] { return rmdir(folder.c_str()) == 0; }));
}
