#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "bundle.h"

using namespace mooring;
using namespace mooring::test;

TEST_CASE("all five capability sets are as asked") {
  Bundle bundle;
  SUBCASE("root") {
    Container container = bundle.script("exec sleep 30").start();
    for (const char* set : {"CapPrm", "CapEff", "CapBnd"}) CHECK(container.status(set) == "0000000000000021");  // CHOWN, KILL
    for (const char* set : {"CapInh", "CapAmb"}) CHECK(container.status(set) == "0000000000000000");
    CHECK(container.status("NoNewPrivs") == "1");
  }
  SUBCASE("a user keeps only what is ambient") {
    auto& process = bundle.config["process"];
    process["user"] = {{"uid", 1000}, {"gid", 1000}};
    for (const char* set : {"inheritable", "ambient"}) process["capabilities"][set] = {"CAP_KILL"};
    Container container = bundle.script("exec sleep 30").start();
    for (const char* set : {"CapPrm", "CapEff", "CapInh", "CapAmb"}) CHECK(container.status(set) == "0000000000000020");
    CHECK(container.status("CapBnd") == "0000000000000021");
  }
  SUBCASE("none are given") {
    bundle.config["process"].erase("capabilities");
    Container container = bundle.script("exec sleep 30").start();
    for (const char* set : {"CapPrm", "CapEff", "CapBnd"}) CHECK(container.status(set) == "0000000000000000");
  }
}

TEST_CASE("a capability that is unknown, or ambient without being inheritable, is left out with a warning; where limits are required it is an error") {
  Bundle bundle;
  auto& capabilities = bundle.config["process"]["capabilities"];
  std::string complaint;
  SUBCASE("unknown") {
    capabilities["bounding"].push_back("CAP_FLY");
    complaint = "process.capabilities: unknown capability \"CAP_FLY\"";
  }
  SUBCASE("ambient") {
    capabilities["inheritable"] = {"CAP_CHOWN"};
    capabilities["ambient"] = {"CAP_CHOWN", "CAP_KILL"};
    complaint = "process.capabilities.ambient: CAP_KILL is not in permitted and inheritable too";
  }
  auto launched = bundle.script("exec sleep 30").try_launch();
  if (!launched) FAIL(launched.error().message);
  CHECK(launched->warnings == std::vector<std::string>{complaint});
  Container container(std::move(*launched), UniqueFd());
  CHECK(container.status("CapBnd") == "0000000000000021");
  CHECK(container.status("CapAmb") == (capabilities.contains("ambient") ? "0000000000000001" : "0000000000000000"));
  bundle.config["annotations"]["dev.mooring.limits"] = "required";
  CHECK(bundle.error() == complaint);
}

TEST_CASE("a user with CAP_DAC_OVERRIDE runs what only its owner may run") {
  Bundle bundle;
  fs::copy_file("/bin/busybox", bundle.rootfs() / "bin/echo-of-root");
  fs::permissions(bundle.rootfs() / "bin/echo-of-root", fs::perms(0744));
  auto& process = bundle.config["process"];
  process["user"] = {{"uid", 1000}, {"gid", 1000}};
  process["args"] = {"echo-of-root"};
  CHECK(bundle.error() == "exec: \"echo-of-root\": permission denied");
  for (const char* set : {"bounding", "effective", "permitted", "inheritable", "ambient"}) process["capabilities"][set].push_back("CAP_DAC_OVERRIDE");
  CHECK(bundle.error() == "");
}

TEST_CASE("noNewPrivileges false leaves setuid programs their right") {
  Bundle bundle;
  bundle.config["process"]["noNewPrivileges"] = false;
  Container container = bundle.script("exec sleep 30").start();
  CHECK(container.status("NoNewPrivs") == "0");
}

TEST_CASE("masked paths show nothing and read-only paths take nothing") {
  Bundle bundle;
  const Ended ended = bundle.script("cat /proc/keys; ls -A /proc/acpi /sys/firmware | cat; echo 1 >/proc/sys/kernel/domainname; touch /proc/acpi/x; stat -c %t:%T /proc/keys").run();
  CHECK(ended.output.find("/proc/sys/kernel/domainname: Read-only file system") != std::string::npos);
  CHECK(ended.output.find("/proc/acpi/x: Read-only file system") != std::string::npos);
  CHECK(ended.output.find("1:3") != std::string::npos);
}

TEST_CASE("a read-only root takes nothing, its mounts do") {
  Bundle bundle;
  bundle.config["root"]["readonly"] = true;
  CHECK(bundle.script("touch /x; touch /dev/shm/x && echo fine").run().output == "touch: /x: Read-only file system\nfine\n");
}

TEST_CASE("/dev holds the default devices and nothing of the host's") {
  Bundle bundle;
  bundle.config["linux"]["devices"] = {{{"path", "/dev/deep/fuse"}, {"type", "c"}, {"major", 10}, {"minor", 229}, {"fileMode", 0640}, {"uid", 3}, {"gid", 4}}};
  const Ended ended = bundle.script("cd /dev; stat -c '%n %t:%T %a' null zero full random urandom tty; for link in ptmx fd stdin stdout stderr; do readlink $link; done; stat -c '%t:%T %a %u %g' deep/fuse; ls | cat").run();
  CHECK(ended.output ==
        "null 1:3 666\nzero 1:5 666\nfull 1:7 666\nrandom 1:8 666\nurandom 1:9 666\ntty 5:0 666\n"
        "pts/ptmx\n/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n"
        "a:e5 640 3 4\ndeep\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n");
}

TEST_CASE("a capability that this host can't grant is left out with a warning; where limits are required it is an error") {
  Bundle bundle;
  // Of this thread alone: what follows is made by another, which has all that the host has.
  std::thread([&] {
    REQUIRE(prctl(PR_CAPBSET_DROP, CAP_SYS_TIME) == 0);
    auto& capabilities = bundle.config["process"]["capabilities"];
    for (const char* set : {"bounding", "effective", "permitted"}) capabilities[set].push_back("CAP_SYS_TIME");
    auto launched = bundle.try_launch();
    if (!launched) FAIL(launched.error().message);
    const std::string complaint = "process.capabilities: CAP_SYS_TIME is not in this host's own bounding set, so no container can have it";
    CHECK(launched->warnings == std::vector<std::string>{complaint});
    CHECK(Container(std::move(*launched), UniqueFd()).wait().status == 0);
    bundle.config["annotations"]["dev.mooring.limits"] = "required";
    CHECK(bundle.error() == complaint);
  }).join();
}
