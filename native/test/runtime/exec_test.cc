#include "runtime/exec.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bundle.h"

using namespace mooring;
using namespace mooring::test;

namespace {

// A container that sleeps, and what is run beside it.
class Host {
 public:
  Host() : process(bundle.config["process"]), container(&made_) { container->await_sleep(); }
  Result<Launched> execute(int output = -1) {
    return mooring::execute({.pid = container->pid(), .pidfd = container->launched().pidfd.get(), .process = process.dump(), .bundle = bundle.path(), .stdout_fd = output, .stderr_fd = output});
  }
  Host& script(const std::string& text) {
    process["args"] = {"sh", "-c", text};
    return *this;
  }
  Container start() {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    UniqueFd reading(ends[0]);
    const UniqueFd writing(ends[1]);
    auto launched = execute(writing.get());
    if (!launched) FAIL(launched.error().message);
    return Container(std::move(*launched), std::move(reading));
  }
  Ended run(const std::string& text) { return script(text).start().wait(); }
  std::string error() {
    auto launched = execute();
    if (!launched) return launched.error().message;
    Container(std::move(*launched), UniqueFd()).wait();
    return "";
  }

  Bundle bundle;
  Json process;

 private:
  Container start_sleep() {
    bundle.config["linux"]["seccomp"] = {{"defaultAction", "SCMP_ACT_ALLOW"}, {"syscalls", {{{"names", {"mkdir", "mkdirat"}}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", 38}}}}};
    return bundle.script("exec sleep 30").start();
  }
  Container made_ = start_sleep();

 public:
  Container* const container;
};

}  // namespace

TEST_CASE("exec: a process in all namespaces, cgroups and the root of the container, our child") {
  Host host;
  Container process = host.script("exec sleep 30").start();
  process.await_sleep();
  CHECK(process.status("PPid") == std::to_string(getpid()));
  for (const char* name : {"pid", "mnt", "ipc", "uts", "net", "cgroup"}) {
    CAPTURE(name);
    CHECK(fs::read_symlink("/proc/" + std::to_string(process.pid()) + "/ns/" + name) == fs::read_symlink("/proc/" + std::to_string(host.container->pid()) + "/ns/" + name));
  }
  CHECK(process.proc("cgroup") == host.container->proc("cgroup"));
  CHECK(process.proc("mountinfo") == host.container->proc("mountinfo"));
  process.stop_at_sleep();
}

TEST_CASE("exec: passes output and exit code on, and gives user, folder and environment") {
  Host host;
  host.process["user"] = {{"uid", 1000}, {"gid", 1001}, {"additionalGids", {5, 7}}, {"umask", 077}};
  host.process["cwd"] = "/tmp";
  host.process["env"].push_back("WORD=two words");
  const Ended ended = host.run("id -u; id -G; umask; pwd; echo $WORD; hostname; exit 9");
  CHECK(ended.output == "1000\n1001 5 7\n0077\n/tmp\ntwo words\nmoored\n");
  CHECK(ended.status == 9);
}

TEST_CASE("exec: rights, limits and the container's filter hold") {
  Host host;
  host.process["capabilities"] = {{"bounding", {"CAP_KILL"}}, {"effective", {"CAP_KILL"}}, {"permitted", {"CAP_KILL"}}};
  host.process["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", 100}, {"hard", 200}}};
  host.process["oomScoreAdj"] = 321;
  Container process = host.script("busybox mkdir /tmp/x; exec sleep 30").start();
  process.await_sleep();
  for (const char* set : {"CapBnd", "CapEff", "CapPrm"}) CHECK(process.status(set) == "0000000000000020");
  CHECK(process.status("CapInh") == "0000000000000000");
  CHECK(process.status("NoNewPrivs") == "1");
  CHECK(process.status("Seccomp") == "2");
  CHECK(process.proc("limits").find("Max open files            100                  200") != std::string::npos);
  CHECK(process.proc("oom_score_adj") == "321\n");
  CHECK(process.stop_at_sleep().output.find("Function not implemented") != std::string::npos);
}

TEST_CASE("exec: a terminal of its own, of the asked size, as the controlling one") {
  Host host;
  host.process["terminal"] = true;
  host.process["consoleSize"] = {{"height", 33}, {"width", 99}};
  host.script("tty; busybox stty size; echo x >/dev/tty; exec sleep 30");
  auto launched = host.execute();
  if (!launched) FAIL(launched.error().message);
  REQUIRE(launched->console);
  winsize size{};
  CHECK(ioctl(launched->console.get(), TIOCGWINSZ, &size) == 0);
  CHECK(size.ws_row == 33);
  std::string output;
  while (output.find("x\r\n") == std::string::npos) {
    char buffer[256];
    const ssize_t got = read(launched->console.get(), buffer, sizeof buffer);
    REQUIRE(got > 0);
    output.append(buffer, static_cast<std::size_t>(got));
  }
  CHECK(output == "/dev/pts/0\r\n33 99\r\nx\r\n");
  Container(std::move(*launched), UniqueFd()).stop_at_sleep();
}

TEST_CASE("exec: a program that can't be run is told apart, and leaves no process") {
  Host host;
  SUBCASE("not there") {
    host.process["args"] = {"nothing-of-that-name"};
    CHECK(host.error() == "exec: \"nothing-of-that-name\": executable file not found in $PATH");
  }
  SUBCASE("not to be run") {
    host.process["args"] = {"/etc"};
    CHECK(host.error() == "exec: \"/etc\": permission denied, it is a directory");
  }
  SUBCASE("folder not there") {
    host.process["cwd"] = "/nowhere";
    CHECK(host.error() == "process.cwd: chdir to /nowhere: No such file or directory");
  }
  SUBCASE("a field that is wrong") {
    host.process["cwd"] = "relative";
    CHECK(host.error() == "process.cwd: must be an absolute path");
  }
  SUBCASE("no JSON") {
    auto failed = execute({.pid = host.container->pid(), .process = "{"});
    REQUIRE(!failed);
    CHECK(failed.error().message.starts_with("process is not JSON: "));
  }
  CHECK(waitpid(-1, nullptr, WNOHANG) == 0);  // the container, and no other child
}

TEST_CASE("CVE-2024-21626: exec sees no descriptor of the caller's, and no folder outside of the root") {
  Host host;
  const UniqueFd leaked(open("/", O_RDONLY | O_DIRECTORY));  // not close-on-exec, on purpose
  CHECK(host.run("ls /proc/self/fd | head -n 4").output == "0\n1\n2\n3\n");  // 3: ls's own
  for (int fd = 3; fd < 20; ++fd) {
    host.process["cwd"] = "/proc/self/fd/" + std::to_string(fd);
    CHECK(host.error() != "");
  }
}

TEST_CASE("CVE-2019-5736: exec of /proc/self/exe runs a file that can't be opened for writing") {
  Host host;
  fs::create_symlink("/proc/self/exe", host.bundle.rootfs() / "bin/evil");
  host.process["args"] = {"/bin/evil", "--version"};
  const std::string own = slurp("/proc/self/exe");
  auto launched = host.execute();
  if (launched) Container(std::move(*launched), UniqueFd()).wait();
  CHECK(slurp("/proc/self/exe") == own);
}

TEST_CASE("CVE-2026-30892: users are numbers, and nothing else") {
  Host host;
  for (const Json& wrong : {Json("0"), Json("root"), Json(-1), Json(4294967296), Json(1.5), Json(true), Json::array({0})}) {
    CAPTURE(wrong.dump());
    host.process["user"] = {{"uid", wrong}, {"gid", 0}};
    CHECK(host.error().starts_with("process.user.uid: "));
  }
}

TEST_CASE("exec: into a container that has ended is an error") {
  Host host;
  const int pidfd = host.container->launched().pidfd.get();
  const pid_t pid = host.container->pid();
  kill(pid, SIGKILL);
  REQUIRE(waitid(P_PID, static_cast<id_t>(pid), nullptr, WEXITED | WNOWAIT) == 0);
  CHECK(!execute({.pid = pid, .pidfd = pidfd, .process = host.process.dump()}));
  host.container->wait();
  CHECK(!execute({.pid = pid, .pidfd = pidfd, .process = host.process.dump()}));
}
