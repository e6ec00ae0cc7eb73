#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>

#include "bundle.h"
#include "runtime/exec.h"

using namespace mooring;
using namespace mooring::test;

namespace {

// Field `number` of /proc/<pid>/stat, from 1.
std::string stat_field(const Container& container, int number) {
  const std::string text = container.proc("stat");
  std::istringstream rest(text.substr(text.rfind(')') + 2));
  std::string field;
  for (int i = 3; i <= number; ++i) rest >> field;
  return field;
}

bool may_raise_limits() {
  rlimit own{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &own) == 0);
  const rlimit more{own.rlim_cur, own.rlim_max + 1};
  if (setrlimit(RLIMIT_NOFILE, &more) != 0) return false;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &own) == 0);
  return true;
}

}  // namespace

TEST_CASE("scheduling policy, nice value and I/O priority are as asked") {
  Bundle bundle;
  auto& process = bundle.config["process"];
  process["scheduler"] = {{"policy", "SCHED_BATCH"}, {"nice", 7}};
  process["ioPriority"] = {{"class", "IOPRIO_CLASS_IDLE"}, {"priority", 5}};
  Container container = bundle.script("exec sleep 30").start();
  CHECK(stat_field(container, 41) == "3");  // SCHED_BATCH
  CHECK(stat_field(container, 19) == "7");
  CHECK(syscall(SYS_ioprio_get, 1, container.pid()) == (3 << 13 | 5));
}

TEST_CASE("what the kernel or the specification does not know of scheduling is refused by field") {
  Bundle bundle;
  auto& process = bundle.config["process"];
  const auto refuse = [&](const char* key, const Json& value, const std::string& message) {
    process[key] = value;
    CHECK(bundle.error() == message);
    process.erase(key);
  };
  refuse("scheduler", {{"policy", "SCHED_WISH"}}, "config.json: process.scheduler.policy: unknown policy \"SCHED_WISH\"");
  refuse("scheduler", {{"policy", "SCHED_FIFO"}, {"priority", 100}}, "process.scheduler: sched_setattr: Invalid argument");
  refuse("ioPriority", {{"class", "IOPRIO_CLASS_BE"}, {"priority", 8}}, "config.json: process.ioPriority.priority: must be from 0 (highest) to 7");
  refuse("execCPUAffinity", {{"initial", "1-0"}}, "config.json: process.execCPUAffinity.initial: \"1-0\" is no list of CPUs as \"0-3,7\"");
}

TEST_CASE("execCPUAffinity holds for exec, and not for the first process") {
  Bundle bundle;
  auto& process = bundle.config["process"];
  process["execCPUAffinity"] = {{"initial", "0,1"}, {"final", "0"}};
  Container container = bundle.script("exec sleep 30").start();
  container.await_sleep();
  const std::string first = container.status("Cpus_allowed_list");
  process["args"] = {"sleep", "30"};
  auto launched = execute({.pid = container.pid(), .process = process.dump()});
  if (!launched) FAIL(launched.error().message);
  Container inside(std::move(*launched), UniqueFd());
  CHECK(inside.status("Cpus_allowed_list") == "0");
  CHECK((first != "0" || sysconf(_SC_NPROCESSORS_ONLN) == 1));
}

TEST_CASE("what the caller is bound to is no limit of the container's, nor of exec's") {
  Bundle bundle;
  cpu_set_t usual, one;
  REQUIRE(sched_getaffinity(0, sizeof usual, &usual) == 0);
  const auto cpus = [&] {
    Container container = bundle.script("exec sleep 30").start();
    container.await_sleep();
    Json process = bundle.config["process"];
    process["args"] = {"sleep", "30"};
    auto launched = execute({.pid = container.pid(), .process = process.dump()});
    if (!launched) FAIL(launched.error().message);
    return container.status("Cpus_allowed_list") + " " + Container(std::move(*launched), UniqueFd()).status("Cpus_allowed_list");
  };
  const std::string unbound = cpus();
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
  const std::string bound = cpus();
  REQUIRE(sched_setaffinity(0, sizeof usual, &usual) == 0);
  CHECK(bound == unbound);
}

TEST_CASE("the personality of a 32-bit machine") {
  Bundle bundle;
  bundle.config["linux"]["personality"] = {{"domain", "LINUX32"}};
  Container container = bundle.script("busybox uname -m; exec sleep 30").start();
  CHECK(container.proc("personality") == "00000008\n");
  CHECK(container.stop_at_sleep().output == "i686\n");
}

TEST_CASE("a limit that only CAP_SYS_RESOURCE raises: a warning, and an error where it is required") {
  if (may_raise_limits()) return;
  rlimit own{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &own) == 0);
  Bundle bundle;
  bundle.config["process"]["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", own.rlim_max + 5}, {"hard", own.rlim_max + 5}}};
  bundle.config["process"]["oomScoreAdj"] = -500;
  const std::string wanted = std::to_string(own.rlim_max + 5), most = std::to_string(own.rlim_max);
  const std::string limit = "process.rlimits: set RLIMIT_NOFILE to " + wanted + ":" + wanted + ": Operation not permitted (this host's hard limit is " + most + ", and raising it needs CAP_SYS_RESOURCE)";
  SUBCASE("") {
    auto launched = bundle.script("exec sleep 30").try_launch();
    if (!launched) FAIL(launched.error().message);
    const std::vector<std::string> warnings = launched->warnings;
    Container container(std::move(*launched), UniqueFd());
    REQUIRE(warnings.size() == 2);
    CHECK(warnings[0] == "process.oomScoreAdj: write \"-500\" to /proc/self/oom_score_adj: Permission denied (lowering it needs CAP_SYS_RESOURCE); it stays as the caller's");
    CHECK(warnings[1] == limit + "; it is " + most + ":" + most);
    CHECK(container.proc("oom_score_adj") == slurp("/proc/self/oom_score_adj"));
    CHECK(container.proc("limits").find("Max open files            " + most) != std::string::npos);
  }
  SUBCASE("") {
    bundle.config["annotations"]["dev.mooring.limits"] = "required";
    CHECK(bundle.error() == "process.oomScoreAdj: write \"-500\" to /proc/self/oom_score_adj: Permission denied (lowering it needs CAP_SYS_RESOURCE)");
    bundle.config["process"].erase("oomScoreAdj");
    CHECK(bundle.error() == limit);
  }
  SUBCASE("") {
    bundle.config["annotations"]["dev.mooring.limits"] = "now";
    CHECK(bundle.error() == "config.json: annotations[\"dev.mooring.limits\"]: must be \"required\" or \"best-effort\"");
  }
}

TEST_CASE("a session keyring for each container, which exec finds again") {
  const long ours = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
  if (ours < 0 && errno == ENOSYS) return;
  Bundle bundle;
  const std::string name = "_ses." + bundle.path().filename().string();
  const std::string look = "grep -o '^[0-9a-f]*.*" + name + "' /proc/keys";
  bundle.config["linux"]["maskedPaths"] = Json::array();
  Json process = bundle.config["process"];
  SUBCASE("plain") {}
  SUBCASE("in a user namespace") { bundle.map_users(); }
  Container container = bundle.script(look + "; exec sleep 30").start();
  container.await_sleep();
  process["args"] = {"sh", "-c", look};
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd reading(ends[0]), writing(ends[1]);
  auto launched = execute({.id = bundle.path().filename(), .pid = container.pid(), .process = process.dump(), .stdout_fd = writing.get()});
  if (!launched) FAIL(launched.error().message);
  writing.reset();
  const std::string inside = Container(std::move(*launched), std::move(reading)).wait().output;
  const std::string first = container.stop_at_sleep().output;
  CHECK(first.ends_with(" " + name + "\n"));
  CHECK(inside.substr(0, 8) == first.substr(0, 8));  // its serial number
  CHECK(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) == ours);
}

TEST_CASE("labels of modules that this host's kernel does not run are refused by field") {
  Bundle bundle;
  auto& process = bundle.config["process"];
  if (!slurp("/sys/module/apparmor/parameters/enabled").starts_with('Y')) {
    process["apparmorProfile"] = "docker-default";
    CHECK(bundle.error() == "process.apparmorProfile: this host's kernel does not run AppArmor, so the profile docker-default can't be given");
    process.erase("apparmorProfile");
  }
  if (fs::exists("/sys/fs/selinux/enforce")) return;
  process["selinuxLabel"] = "system_u:system_r:container_t:s0";
  CHECK(bundle.error() == "process.selinuxLabel: this host's kernel does not run SELinux, so the label system_u:system_r:container_t:s0 can't be given");
  process.erase("selinuxLabel");
  bundle.config["linux"]["mountLabel"] = "system_u:object_r:container_file_t:s0";
  CHECK(bundle.error() == "linux.mountLabel: this host's kernel does not run SELinux, so the label system_u:object_r:container_file_t:s0 can't be given");
}

TEST_CASE("an AppArmor profile that is not loaded is an error, one that is loaded confines") {
  if (!slurp("/sys/module/apparmor/parameters/enabled").starts_with('Y')) return;
  Bundle bundle;
  auto& process = bundle.config["process"];
  process["apparmorProfile"] = "mooring-test-nothing";
  CHECK(bundle.error().find("process.apparmorProfile: write \"exec mooring-test-nothing\" to /proc/self/attr/apparmor/exec: ") == 0);
  process["apparmorProfile"] = "unconfined";
  CHECK(bundle.script("cat /proc/self/attr/apparmor/current").run().output == "unconfined\n");
}
