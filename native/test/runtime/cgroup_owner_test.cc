#include <doctest/doctest.h>
#include <sys/stat.h>

#include "bundle.h"
#include "runtime/exec.h"

using namespace mooring;
using namespace mooring::test;

namespace {

bool hybrid() { return fs::exists("/sys/fs/cgroup/unified"); }

/// Of the container's cgroup of version 2, on the host.
unsigned owner_of(const Bundle& bundle, const std::string& file = "") {
  struct stat status;
  REQUIRE(stat((cgroup_folder("unified", bundle.cgroup()) / file).c_str(), &status) == 0);
  return status.st_uid;
}

/// With a cgroup of version 2 also on a host where that is asked for only.
void make_writable(Bundle& bundle) {
  bundle.config["mounts"].back()["options"] = {"nosuid", "noexec", "nodev", "relatime"};
  bundle.config["linux"]["resources"]["unified"] = {{"cgroup.max.depth", "5"}};
}

}  // namespace

TEST_CASE("a container in a user namespace divides its own cgroup, and keeps to what limits it") {
  Bundle bundle;
  bundle.map_users();
  make_writable(bundle);
  Container container = bundle.script(
      "exec 2>&1; cd /sys/fs/cgroup/unified 2>/dev/null || cd /sys/fs/cgroup; mkdir below; echo 0 >below/cgroup.procs; grep ^0: /proc/self/cgroup; echo 9 >cgroup.max.depth; echo 0 >cgroup.procs; rmdir below; "
      "ls -d /sys/fs/cgroup/pids >/dev/null 2>&1 && mkdir /sys/fs/cgroup/pids/below; exec sleep 30").start();
  container.await_sleep();
  CHECK(owner_of(bundle) == outside_root);
  CHECK(owner_of(bundle, "cgroup.procs") == outside_root);
  CHECK(owner_of(bundle, "cgroup.subtree_control") == outside_root);
  CHECK(owner_of(bundle, "cgroup.max.depth") == 0);
  const std::string v1 = hybrid() ? "mkdir: can't create directory '/sys/fs/cgroup/pids/below': Permission denied\n" : "";
  CHECK(container.stop_at_sleep().output == "0::/below\nsh: can't create cgroup.max.depth: Permission denied\n" + v1);
}

TEST_CASE("exec goes into a cgroup that is the container's own") {
  Bundle bundle;
  bundle.map_users();
  make_writable(bundle);
  Container container = bundle.script("exec sleep 30").start();
  container.await_sleep();
  Json process = bundle.config["process"];
  process["args"] = {"sleep", "30"};
  auto launched = execute({.pid = container.pid(), .pidfd = container.launched().pidfd.get(), .process = process.dump(), .bundle = bundle.path()});
  if (!launched) FAIL(launched.error().message);
  Container added(std::move(*launched), UniqueFd());
  CHECK(slurp(cgroup_folder("unified", bundle.cgroup()) / "cgroup.procs").find(std::to_string(added.pid()) + "\n") != std::string::npos);
}

TEST_CASE("the cgroup is the process's user's, whoever that is") {
  Bundle bundle;
  make_writable(bundle);
  bundle.config["process"]["user"] = {{"uid", 1000}, {"gid", 1001}};
  Container container = bundle.script("exec sleep 30").start();
  CHECK(owner_of(bundle, "cgroup.procs") == 1000);
}

TEST_CASE("the cgroup stays the host's where it is mounted read-only, or not for the container alone") {
  Bundle bundle;
  bundle.map_users();
  make_writable(bundle);
  SUBCASE("read-only") { bundle.config["mounts"].back()["options"].push_back("ro"); }
  SUBCASE("not mounted") { bundle.config["mounts"].erase(bundle.config["mounts"].size() - 1); }
  SUBCASE("the host's cgroup namespace") {
    auto& namespaces = bundle.config["linux"]["namespaces"];
    for (std::size_t i = 0; i < namespaces.size(); ++i)
      if (namespaces[i]["type"] == "cgroup") namespaces.erase(i--);
  }
  Container container = bundle.script("exec sleep 30").start();
  CHECK(owner_of(bundle) == 0);
  CHECK(owner_of(bundle, "cgroup.procs") == 0);
}
