// The hooks that launch() runs: createRuntime (and "prestart" before it), createContainer, startContainer. The other two are the command line's.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <fstream>

#include "bundle.h"

using namespace mooring;
using namespace mooring::test;

namespace {

Json hook(const std::string& command) { return {{"path", "/bin/sh"}, {"args", {"sh", "-c", command}}, {"env", {"PATH=/bin:/usr/bin", "WORD=two words"}}}; }

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  std::ifstream text(file);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("hooks run in their order and namespaces, with the state on stdin, and their environment alone") {
  Bundle bundle;
  const fs::path seen = bundle.path() / "seen";
  const auto tell = [&](const std::string& name, const std::string& file) { return hook("{ echo " + name + "; cat; echo; readlink /proc/self/ns/mnt; readlink /proc/self/ns/pid; echo $WORD$HOME; } >>" + file); };
  bundle.config["hooks"] = {{"prestart", {tell("prestart", seen)}},
                            {"createRuntime", {tell("createRuntime", seen)}},
                            {"createContainer", {tell("createContainer", seen)}},
                            {"startContainer", {tell("startContainer", "/tmp/seen")}}};
  bundle.config["annotations"] = {{"key", "value"}};
  Container container = bundle.script("cat /tmp/seen; exec sleep 30").start();
  container.await_sleep();
  const auto ns = [](pid_t pid, const char* name) { return std::string(fs::read_symlink("/proc/" + std::to_string(pid) + "/ns/" + name)); };
  const auto lines = lines_of(seen);
  REQUIRE(lines.size() == 15);
  const char* const names[] = {"prestart", "createRuntime", "createContainer"};
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(names[i]);
    const bool outside = i < 2;
    CHECK(lines[5 * i] == names[i]);
    const Json state = Json::parse(lines[5 * i + 1]);
    CHECK(state["ociVersion"] == "1.2.0");
    CHECK(state["id"] == bundle.path().filename().string());
    CHECK(state["bundle"] == bundle.path().string());
    CHECK(state["status"] == "creating");
    CHECK(state["pid"] == (outside ? container.pid() : 1));
    CHECK(state["annotations"]["key"] == "value");
    CHECK(lines[5 * i + 2] == ns(outside ? getpid() : container.pid(), "mnt"));
    CHECK(lines[5 * i + 3] == ns(outside ? getpid() : container.pid(), "pid"));
    CHECK(lines[5 * i + 4] == "two words");
  }
  const std::string mnt = ns(container.pid(), "mnt"), pid = ns(container.pid(), "pid");
  const std::string output = container.stop_at_sleep().output;
  CHECK(output.starts_with("startContainer\n{"));
  CHECK(output.find("\"status\":\"created\"") != std::string::npos);
  CHECK(output.ends_with("}\n" + mnt + "\n" + pid + "\ntwo words\n"));
}

TEST_CASE("a startContainer hook without an environment of its own has the program's, other hooks have none") {
  Bundle bundle;
  const fs::path seen = bundle.path() / "seen";
  const auto tell = [](const std::string& file) { return Json{{"path", "/bin/sh"}, {"args", {"sh", "-c", "echo \"$WORD$HOME\" >" + file}}}; };
  bundle.config["process"]["env"].push_back("WORD=of the program at ");
  bundle.config["hooks"] = {{"createRuntime", {tell(seen)}}, {"startContainer", {tell("/tmp/seen")}}};
  CHECK(bundle.script("cat /tmp/seen").run().output == "of the program at /root\n");
  CHECK(slurp(seen) == "\n");
}

TEST_CASE("createContainer hooks find the rootfs with its mounts at root.path, before it is entered") {
  Bundle bundle;
  bundle.config["hooks"] = {{"createContainer", {hook("grep -q proc " + (bundle.rootfs() / "proc/filesystems").string() + " && touch " + (bundle.rootfs() / "made-by-hook").string())}}};
  CHECK(bundle.script("ls /made-by-hook").run().output == "/made-by-hook\n");
}

TEST_CASE("a hook that fails, hangs or is not there ends the container, and says so") {
  Bundle bundle;
  const auto with = [&](const char* kind, Json one) {
    bundle.config["hooks"] = {{kind, {std::move(one)}}};
    return bundle.error();
  };
  for (const char* kind : {"prestart", "createRuntime", "createContainer", "startContainer"}) {
    CAPTURE(kind);
    const std::string name = std::string(kind) == "prestart" ? "createRuntime" : kind;  // which took its place
    CHECK(with(kind, hook("echo why; echo more >&2; exit 3")) == "hooks." + name + ": /bin/sh: exit status 3: why\nmore\n");
    CHECK(with(kind, hook("kill -9 $$")) == "hooks." + name + ": /bin/sh: signal 9");
    CHECK(with(kind, {{"path", "/nothing"}}) == "hooks." + name + ": /nothing: exit status 127: No such file or directory");
    Json slow = hook("sleep 30");
    slow["timeout"] = 1;
    if (std::string(kind) == "createRuntime") CHECK(with(kind, slow) == "hooks.createRuntime: /bin/sh: took longer than 1 s");
    CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
  }
}

TEST_CASE("a hook that reads nothing, or writes much, holds nothing up") {
  Bundle bundle;
  bundle.config["annotations"] = {{"large", std::string(200'000, 'x')}};
  bundle.config["hooks"] = {{"createRuntime", {hook("head -c 1000000 /dev/zero"), {{"path", "/bin/true"}}}}};
  CHECK(bundle.error() == "");
}
