#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "bundle.h"

using namespace mooring;
using namespace mooring::test;

TEST_CASE("runs a program and passes its output and exit code on") {
  Bundle bundle;
  const Ended ended = bundle.script("echo out; echo err >&2; exit 7").run();
  CHECK(ended.status == 7);
  CHECK(ended.output == "out\nerr\n");
}

TEST_CASE("the process is pid 1 in its namespaces, our child outside, and knows its name") {
  Bundle bundle;
  Container container = bundle.script("echo $$; hostname; read x </dev/null; exec sleep 30").start();
  CHECK(container.status("PPid") == std::to_string(getpid()));
  for (const char* name : {"pid", "mnt", "ipc", "uts", "net", "cgroup"}) {
    CAPTURE(name);
    const std::string own = fs::read_symlink("/proc/self/ns/" + std::string(name));
    CHECK(fs::read_symlink("/proc/" + std::to_string(container.pid()) + "/ns/" + name) != own);
  }
  CHECK(fs::read_symlink("/proc/" + std::to_string(container.pid()) + "/ns/user") == fs::read_symlink("/proc/self/ns/user"));
  CHECK(container.stop_at_sleep().output == "1\nmoored\n");
}

TEST_CASE("a namespace that config.json does not list, or names by path, is shared") {
  Bundle bundle, other;
  auto& namespaces = bundle.config["linux"]["namespaces"];
  SUBCASE("the host's network") {
    namespaces = {{{"type", "pid"}}, {{"type", "mount"}}, {{"type", "uts"}}};
    Container container = bundle.script("exec sleep 30").start();
    CHECK(fs::read_symlink("/proc/" + std::to_string(container.pid()) + "/ns/net") == fs::read_symlink("/proc/self/ns/net"));
  }
  SUBCASE("another container's network and ipc") {
    Container owner = other.script("exec sleep 30").start();
    const std::string prefix = "/proc/" + std::to_string(owner.pid()) + "/ns/";
    namespaces = {{{"type", "pid"}}, {{"type", "mount"}}, {{"type", "uts"}}, {{"type", "network"}, {"path", prefix + "net"}}, {{"type", "ipc"}, {"path", prefix + "ipc"}}};
    Container container = bundle.script("exec sleep 30").start();
    for (const char* name : {"net", "ipc"}) CHECK(fs::read_symlink("/proc/" + std::to_string(container.pid()) + "/ns/" + name) == fs::read_symlink(prefix + name));
  }
}

TEST_CASE("user, groups, umask, folder and environment are those of config.json") {
  Bundle bundle;
  auto& process = bundle.config["process"];
  process["user"] = {{"uid", 1000}, {"gid", 1001}, {"additionalGids", {5, 7}}, {"umask", 077}};
  process["cwd"] = "/made/for/it";
  process["env"].push_back("WORD=two words");
  const Ended ended = bundle.script("id -u; id -g; id -G; umask; pwd; echo $WORD; touch /tmp/x; stat -c %a /tmp/x; echo again >/dev/stdout").run();
  CHECK(ended.output == "1000\n1001\n1001 5 7\n0077\n/made/for/it\ntwo words\n600\nagain\n");
}

TEST_CASE("where process.env has no HOME it is the folder that the image has for the user; of two values the last one holds") {
  Bundle bundle;
  auto& process = bundle.config["process"];
  process["user"]["uid"] = 1000;
  process["env"] = {"PATH=/bin", "WORD=first", "HOME=", "WORD=last"};
  bundle.script("echo $HOME $WORD");
  const fs::path passwd = bundle.rootfs() / "etc/passwd";
  CHECK(bundle.run().output == "/ last\n");
  std::ofstream(passwd) << "root:x:0:0:root:/root:/bin/sh\n\nbroken\nsome:x:10000:1:::\nsome:x:1000:1001:Some One:/home/some:/bin/sh\nother:x:1000:1::/other:";
  CHECK(bundle.run().output == "/home/some last\n");
  process["env"].push_back("HOME=/given");
  CHECK(bundle.run().output == "/given last\n");
  process["env"] = {"PATH=/bin"};
  fs::remove(passwd);
  REQUIRE(mkfifo(passwd.c_str(), 0666) == 0);
  CHECK(bundle.run().output == "/\n");
}

TEST_CASE("limits, oom_score_adj and a sysctl are in force") {
  Bundle bundle;
  bundle.config["process"]["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", 100}, {"hard", 200}}};
  bundle.config["process"]["oomScoreAdj"] = 321;
  bundle.config["linux"]["sysctl"] = {{"net.ipv4.ip_unprivileged_port_start", "77"}, {"kernel.shm_rmid_forced", "1"}};
  const std::string before = slurp("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  Container container = bundle.script("cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced; exec sleep 30").start();
  CHECK(container.proc("oom_score_adj") == "321\n");
  CHECK(container.proc("limits").find("Max open files            100                  200") != std::string::npos);
  CHECK(container.stop_at_sleep().output == "77\n1\n");
  CHECK(slurp("/proc/sys/net/ipv4/ip_unprivileged_port_start") == before);
}

TEST_CASE("lo is up in a new network namespace") {
  Bundle bundle;
  CHECK(bundle.script("cat /sys/class/net/lo/flags").run().output == "0x9\n");
}

TEST_CASE("a program that can't be run is told apart, and nothing is left") {
  Bundle bundle;
  auto& args = bundle.config["process"]["args"];
  SUBCASE("not in PATH") {
    args = {"foo"};
    CHECK(bundle.error() == "exec: \"foo\": executable file not found in $PATH");
  }
  SUBCASE("no such path") {
    args = {"/nothing"};
    CHECK(bundle.error() == "exec: \"/nothing\": no such file or directory");
  }
  SUBCASE("not executable") {
    std::ofstream(bundle.rootfs() / "bin/data") << "data";
    args = {"data"};
    CHECK(bundle.error() == "exec: \"data\": permission denied");
    args = {"/etc"};
    CHECK(bundle.error() == "exec: \"/etc\": permission denied, it is a directory");
  }
  SUBCASE("no program at all, or without its interpreter") {
    const fs::path file = bundle.rootfs() / "bin/file";
    args = {"file"};
    std::ofstream(file) << "?";
    fs::permissions(file, fs::perms(0755));
    CHECK(bundle.error() == "exec: \"file\": exec format error");
    std::ofstream(file) << "#!/missing\n";
    CHECK(bundle.error() == "exec: \"file\": its interpreter or loader is missing in the rootfs");
  }
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

TEST_CASE("a failing launch leaves no process, no mount and no open descriptor") {
  const auto descriptors = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), {}); };
  Bundle bundle;
  const auto open_before = descriptors();
  const std::string mounts_before = slurp("/proc/self/mountinfo");
  bundle.config["mounts"].push_back({{"destination", "/x"}, {"type", "bind"}, {"source", "/nothing/here"}});
  CHECK(bundle.error() == "mounts[7] (/x): bind /nothing/here: No such file or directory");
  CHECK(descriptors() == open_before);
  CHECK(slurp("/proc/self/mountinfo") == mounts_before);
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("the container outlives nothing of ours: descriptors 0, 1 and 2 only, whatever the caller holds open") {
  const UniqueFd leaked(open("/etc", O_RDONLY | O_DIRECTORY));  // on purpose without O_CLOEXEC
  REQUIRE(leaked);
  Bundle bundle;
  Container container = bundle.script("exec sleep 30").start();
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(container.pid()) + "/fd")) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"0", "1", "2"});
}

TEST_CASE("the caller keeps none of the work in its memory") {
  Bundle bundle;
  const auto dirty = [] {
    const std::string text = slurp("/proc/self/smaps_rollup");
    return std::stol(text.substr(text.find("Private_Dirty:") + 14));
  };
  bundle.config["linux"]["maskedPaths"] = std::vector<std::string>(20000, "/proc/absent");  // a config.json of a quarter of a megabyte, some MB once parsed
  std::ofstream(bundle.path() / "config.json") << bundle.config;
  const long before = dirty();
  auto launched = launch({.id = "x", .bundle = bundle.path()});
  const long after = dirty();
  REQUIRE(launched);
  Container container(std::move(*launched), UniqueFd());
  CHECK(after - before < 100);
}

TEST_CASE("signals that the caller blocks or ignores reach the container") {
  Bundle bundle;
  sigset_t blocked, old;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, &old);
  const auto ignored = signal(SIGUSR1, SIG_IGN);
  Container container = bundle.script("exec sleep 30").start();
  CHECK(container.status("SigBlk") == "0000000000000000");
  CHECK(container.status("SigIgn") == "0000000000000000");
  signal(SIGUSR1, ignored);
  sigprocmask(SIG_SETMASK, &old, nullptr);
}
