#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "bundle.h"
#include "runtime/exec.h"

using namespace mooring;
using namespace mooring::test;

namespace {

std::string namespace_of(const Container& container, const std::string& name) { return fs::read_symlink("/proc/" + std::to_string(container.pid()) + "/ns/" + name); }

}  // namespace

TEST_CASE("a user namespace: root inside, a plain user outside, and all other namespaces belong to it") {
  Bundle bundle;
  bundle.map_users();
  Container container = bundle.script("id -u; id -g; id -G; cat /proc/self/uid_map /proc/self/setgroups; hostname; touch /made; mkdir -p /tmp/x; exec sleep 30").start();
  container.await_sleep();
  CHECK(container.status("Uid") == "200000\t200000\t200000\t200000");
  CHECK(container.status("Gid") == "200000\t200000\t200000\t200000");
  CHECK(container.status("Groups") == " ");
  CHECK(container.status("CapEff") == "0000000000000021");
  CHECK(namespace_of(container, "user") != std::string(fs::read_symlink("/proc/self/ns/user")));
  struct stat made;
  REQUIRE(stat((bundle.rootfs() / "made").c_str(), &made) == 0);
  CHECK(made.st_uid == outside_root);
  CHECK(container.stop_at_sleep().output == "0\n0\n0\n         0     200000      65536\nallow\nmoored\n");
}

TEST_CASE("a user namespace: API file systems, masks, read-only paths, devices, lo and sysctls are as without one") {
  Bundle bundle;
  bundle.map_users();
  bundle.config["linux"]["sysctl"] = {{"net.ipv4.ip_unprivileged_port_start", "77"}, {"kernel.shm_rmid_forced", "1"}, {"user.max_user_namespaces", "5"}};
  bundle.config["linux"]["devices"] = {{{"path", "/dev/deep/fuse"}, {"type", "c"}, {"major", 10}, {"minor", 229}, {"fileMode", 0640}, {"uid", 3}, {"gid", 4}},
                                       {{"path", "/dev/pipe"}, {"type", "p"}, {"fileMode", 0600}},
                                       {{"path", "/opt/null"}, {"type", "c"}, {"major", 1}, {"minor", 3}}};
  const Ended ended = bundle.script(
      "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced /proc/sys/user/max_user_namespaces /sys/class/net/lo/flags; cat /proc/keys; "
      "echo 1 >/proc/sys/kernel/domainname; cd /dev; stat -c '%n %t:%T %a %u:%g' null tty deep/fuse /opt/null; stat -c '%F %a' pipe; echo x >null; head -c 2 zero | wc -c; stat -c %u:%g pts; "
      "touch /dev/shm/x && echo shm; ls /sys/fs/cgroup | head -n1 | wc -l; mknod /tmp/evil c 1 3 2>&1").run();
  CHECK(ended.output ==
        "77\n1\n5\n0x9\nsh: can't create /proc/sys/kernel/domainname: Read-only file system\n"
        "null 1:3 666 0:0\ntty 5:0 666 0:0\ndeep/fuse a:e5 640 3:4\n/opt/null 1:3 666 0:0\nfifo 600\n2\n0:0\nshm\n1\nmknod: /tmp/evil: Operation not permitted\n");
}

TEST_CASE("a user namespace: the user's pipes are its own, a terminal too") {
  Bundle bundle;
  bundle.map_users().config["process"]["user"] = {{"uid", 1000}, {"gid", 1001}, {"additionalGids", {7}}};
  SUBCASE("pipes") { CHECK(bundle.script("id -u; id -G; echo again >/dev/stdout").run().output == "1000\n1001 7\nagain\n"); }
  SUBCASE("a terminal") {
    bundle.config["process"]["terminal"] = true;
    bundle.script("stat -c %u $(tty); echo x >/dev/tty; exec sleep 30");
    auto launched = bundle.try_launch();
    if (!launched) FAIL(launched.error().message);
    const UniqueFd console(launched->console.release());
    Container container(std::move(*launched), UniqueFd());
    std::string seen;
    char buffer[256];
    while (seen.find("x\r\n") == std::string::npos) {
      const ssize_t got = read(console.get(), buffer, sizeof buffer);
      REQUIRE(got > 0);
      seen.append(buffer, static_cast<std::size_t>(got));
    }
    CHECK(seen == "1000\r\nx\r\n");
  }
}

TEST_CASE("a user namespace: bind mounts that only the host's root can reach, and ones of the host's files") {
  Bundle bundle;
  const fs::path closed = bundle.path() / "closed";
  fs::create_directories(closed / "source");
  std::ofstream(closed / "source/file") << "content\n";
  fs::permissions(closed, fs::perms(0700));
  REQUIRE(chown(closed.c_str(), 12345, 12345) == 0);
  bundle.map_users().add_mount({{"destination", "/mnt"}, {"type", "bind"}, {"source", closed / "source"}, {"options", {"rbind", "ro"}}});
  CHECK(bundle.script("cat /mnt/file; stat -c %u /mnt/file; touch /mnt/x").run().output == "content\n65534\ntouch: /mnt/x: Read-only file system\n");
}

TEST_CASE("a user namespace: an overlay over layers of the host's root, with their ids mapped") {
  Bundle bundle;
  const fs::path layer = bundle.path() / "layer", upper = bundle.path() / "upper", work = bundle.path() / "work", merged = bundle.path() / "merged";
  fs::copy(bundle.rootfs(), layer, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  for (const fs::path& folder : {upper, work, merged}) fs::create_directories(folder);
  std::ofstream(layer / "etc/file") << "old\n";
  REQUIRE(chown((layer / "etc/file").c_str(), 1000, 1001) == 0);
  bundle.map_users();
  for (const fs::path& folder : {upper, work}) REQUIRE(chown(folder.c_str(), outside_root, outside_root) == 0);
  fs::permissions(merged, fs::perms(0700));
  bundle.config["root"]["path"] = "merged";
  bundle.config["annotations"]["dev.mooring.rootfs.overlay"] = Json{{"lower", {layer.string()}}, {"upper", upper}, {"work", work}, {"mapIds", true}}.dump();
  const Ended ended = bundle.script("stat -c %u:%g /bin/busybox /etc/file; chown 5:6 /etc/file; echo new >/made; cat /etc/file").run();
  CHECK(ended.output == "0:0\n1000:1001\nold\n");
  struct stat status;
  REQUIRE(stat((upper / "made").c_str(), &status) == 0);
  CHECK(status.st_uid == outside_root);
  REQUIRE(stat((upper / "etc/file").c_str(), &status) == 0);
  CHECK(status.st_uid == outside_root + 5);
  REQUIRE(stat((layer / "etc/file").c_str(), &status) == 0);
  CHECK(status.st_uid == 1000);
  CHECK(slurp("/proc/self/mountinfo").find(bundle.path()) == std::string::npos);
}

TEST_CASE("exec into a user namespace: as its root or a user, with pipes or a terminal of its own") {
  Bundle bundle;
  Container container = bundle.map_users().script("exec sleep 30").start();
  container.await_sleep();
  Json process = bundle.config["process"];
  process["user"] = {{"uid", 1000}, {"gid", 1001}, {"additionalGids", {5}}};
  process["oomScoreAdj"] = 500;
  SUBCASE("pipes") {
    process["args"] = {"sh", "-c", "id -u; id -G; echo again >/dev/stdout; cat /proc/self/oom_score_adj; exec sleep 30"};
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    UniqueFd reading(ends[0]), writing(ends[1]);
    auto launched = execute({.pid = container.pid(), .process = process.dump(), .bundle = bundle.path(), .stdout_fd = writing.get(), .stderr_fd = writing.get()});
    if (!launched) FAIL(launched.error().message);
    writing.reset();
    Container inside(std::move(*launched), std::move(reading));
    inside.await_sleep();
    for (const char* name : {"user", "pid", "mnt", "ipc", "uts", "net", "cgroup"}) CHECK(namespace_of(inside, name) == namespace_of(container, name));
    CHECK(inside.status("Uid") == "201000\t201000\t201000\t201000");
    CHECK(inside.stop_at_sleep().output == "1000\n1001 5\nagain\n500\n");
  }
  SUBCASE("a terminal") {
    process["terminal"] = true;
    process["args"] = {"sh", "-c", "stat -c %u $(tty)"};
    auto launched = execute({.pid = container.pid(), .process = process.dump(), .bundle = bundle.path()});
    if (!launched) FAIL(launched.error().message);
    char buffer[64] = {};
    CHECK(read(launched->console.get(), buffer, sizeof buffer - 1) > 0);
    CHECK(std::string(buffer) == "1000\r\n");
    Container(std::move(*launched), UniqueFd()).wait();
  }
  SUBCASE("a user that the namespace does not have") {
    process["user"] = {{"uid", 70000}, {"gid", 0}};
    auto launched = execute({.pid = container.pid(), .process = process.dump(), .bundle = bundle.path()});
    REQUIRE(!launched);
    CHECK(launched.error().message == "process.user.uid: 70000 is not mapped in the user namespace");
  }
}

TEST_CASE("a user namespace joined by path: its mapping is found, and checked where one is given") {
  Bundle owner, bundle;
  Container first = owner.map_users().script("exec sleep 30").start();
  bundle.map_users();
  const std::string path = "/proc/" + std::to_string(first.pid()) + "/ns/";
  bundle.config["linux"]["namespaces"] = {{{"type", "pid"}}, {{"type", "mount"}}, {{"type", "uts"}}, {{"type", "ipc"}}, {{"type", "cgroup"}}, {{"type", "network"}, {"path", path + "net"}}, {{"type", "user"}, {"path", path + "user"}}};
  SUBCASE("without a mapping") {
    for (const char* kind : {"uidMappings", "gidMappings"}) bundle.config["linux"].erase(kind);
    Container container = bundle.script("id -u; echo >/dev/null && echo fine; exec sleep 30").start();
    container.await_sleep();
    for (const char* name : {"user", "net"}) CHECK(namespace_of(container, name) == namespace_of(first, name));
    CHECK(container.stop_at_sleep().output == "0\nfine\n");
  }
  SUBCASE("with the same mapping") { CHECK(bundle.script("id -u").run().output == "0\n"); }
  SUBCASE("with another one") {
    bundle.config["linux"]["uidMappings"][0]["hostID"] = 1;
    CHECK(bundle.error() == "linux.uidMappings, linux.gidMappings: " + path + "user has another mapping");
  }
}

TEST_CASE("a user namespace with the host's network: sysfs is refused, a bind of /sys is not") {
  Bundle bundle;
  bundle.map_users();
  bundle.config["linux"]["namespaces"].erase(4);
  CHECK(bundle.error().find("mounts[5] (/sys): ") == 0);
  bundle.config["mounts"][5] = {{"destination", "/sys"}, {"type", "bind"}, {"source", "/sys"}, {"options", {"rbind", "rro", "nosuid", "noexec", "nodev"}}};
  bundle.config["mounts"].erase(6);
  CHECK(bundle.script("ls -d /sys/class/net/lo").run().output == "/sys/class/net/lo\n");
}

TEST_CASE("createRuntime hooks of a container in a user namespace run as the host's root, and know its pid") {
  Bundle bundle;
  const fs::path seen = bundle.path() / "seen";
  const std::string command = "{ cat; id -u; readlink /proc/self/ns/user; } >" + seen.string();
  bundle.map_users().config["hooks"] = {{"createRuntime", {{{"path", "/bin/sh"}, {"args", {"sh", "-c", command}}, {"env", {"PATH=/bin:/usr/bin"}}}}}};
  Container container = bundle.script("exec sleep 30").start();
  const std::string text = slurp(seen);
  CHECK(Json::parse(text.substr(0, text.find('}') + 1))["pid"] == container.pid());
  CHECK(text.substr(text.find('}') + 1) == "0\n" + std::string(fs::read_symlink("/proc/self/ns/user")) + "\n");
  bundle.config["hooks"]["createRuntime"][0]["args"][2] = "echo no >&2; exit 3";
  CHECK(Bundle().error() == "");
}

TEST_CASE("a failing createRuntime hook of a container in a user namespace ends it") {
  Bundle bundle;
  bundle.map_users().config["hooks"] = {{"createRuntime", {{{"path", "/bin/sh"}, {"args", {"sh", "-c", "echo no; exit 3"}}}}}};
  CHECK(bundle.error() == "hooks.createRuntime: /bin/sh: exit status 3: no\n");
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("mappings that can't be are refused by field") {
  Bundle bundle;
  bundle.map_users();
  auto& linux = bundle.config["linux"];
  const auto refuse = [&](const std::string& message) { CHECK(bundle.error() == "config.json: linux." + message); };
  SUBCASE("") {
    linux.erase("gidMappings");
    refuse("gidMappings: is missing: uids and gids are mapped together");
  }
  SUBCASE("") {
    linux["uidMappings"][0]["containerID"] = 1;
    refuse("uidMappings: must map the container's user 0");
  }
  SUBCASE("") {
    linux["gidMappings"][0]["size"] = 4294967295;
    refuse("gidMappings[0].size: leads beyond the last id");
  }
  SUBCASE("") {
    linux["namespaces"].erase(6);
    refuse("uidMappings: needs a user namespace in linux.namespaces");
  }
  SUBCASE("") {
    linux.erase("gidMappings");
    linux.erase("uidMappings");
    refuse("uidMappings: is missing: a new user namespace needs uidMappings and gidMappings");
  }
}
