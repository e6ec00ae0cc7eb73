// What a malicious image or neighbour tries. Each case is named for the escape that it would be (CVE where there is one).
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "bundle.h"

using namespace mooring;
using namespace mooring::test;

namespace {

// A host folder that no container may touch.
class Canary {
 public:
  explicit Canary(const Bundle& bundle) : path_(bundle.path() / "host") { fs::create_directory(path_); }
  const fs::path& path() const { return path_; }
  bool untouched() const { return fs::is_empty(path_); }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("CVE-2026-41579: /dev of the image is a symlink to a host folder") {
  Bundle bundle;
  const Canary canary(bundle);
  fs::remove(bundle.rootfs() / "dev");
  SUBCASE("absolute") { fs::create_directory_symlink(canary.path(), bundle.rootfs() / "dev"); }
  SUBCASE("relative") { fs::create_directory_symlink("../host", bundle.rootfs() / "dev"); }
  bundle.error();  // may fail or not, as long as nothing is made outside
  CHECK(canary.untouched());
}

TEST_CASE("a mount's destination leads out by symlinks or dots: it lands inside") {
  Bundle bundle;
  const Canary canary(bundle);
  fs::create_directory_symlink(canary.path(), bundle.rootfs() / "escape");
  fs::create_directory_symlink("../../../../../../../../" + canary.path().string(), bundle.rootfs() / "dots");
  fs::create_directory_symlink("../../../../../../../../" + (canary.path() / "new/folder").string(), bundle.rootfs() / "hole");
  const fs::path source = bundle.path() / "source";
  fs::create_directory(source);
  std::ofstream(source / "file") << "mounted";
  std::string destination;
  SUBCASE("through a link") { destination = "/escape/deep"; }
  SUBCASE("through a link of dots") { destination = "/dots/deep"; }
  SUBCASE("through a link to nothing") { destination = "/hole/deep"; }
  SUBCASE("onto a link to nothing") { destination = "/hole"; }
  SUBCASE("through dots") { destination = "/../../../../.." + canary.path().string() + "/deep"; }
  bundle.add_mount({{"destination", destination}, {"type", "bind"}, {"source", source}, {"options", {"bind", "ro"}}});
  bundle.error();
  CHECK(canary.untouched());
}

TEST_CASE("CVE-2023-27561: /proc or /sys of the image is a symlink") {
  Bundle bundle;
  std::string name;
  SUBCASE("proc") { name = "proc"; }
  SUBCASE("sys") { name = "sys"; }
  fs::remove(bundle.rootfs() / name);
  fs::create_directory_symlink("tmp", bundle.rootfs() / name);
  CHECK(bundle.error().find("must be an ordinary folder in the rootfs, and is a symlink") != std::string::npos);
}

TEST_CASE("CVE-2019-16884: a mount may not cover parts of procfs") {
  Bundle bundle;
  bundle.add_mount({{"destination", "/proc/sys"}, {"type", "tmpfs"}});
  CHECK(bundle.error() == "mounts[7] (/proc/sys): nothing may be mounted inside procfs");
  bundle.config["mounts"][7] = {{"destination", "/tmp/../proc/self/attr"}, {"type", "tmpfs"}};
  CHECK(bundle.error().find("nothing may be mounted inside procfs") != std::string::npos);
  bundle.config["mounts"][0] = {{"destination", "/proc"}, {"type", "tmpfs"}};
  bundle.config["mounts"].erase(7);
  CHECK(bundle.error() == "mounts[0] (/proc): only procfs may be mounted there");
}

TEST_CASE("CVE-2025-31133: /dev/null of the image is something else") {
  Bundle bundle;
  // Without a tmpfs of its own /dev is the image's.
  bundle.config["mounts"] = {bundle.config["mounts"][0]};
  const fs::path null = bundle.rootfs() / "dev/null";
  SUBCASE("a symlink") { fs::create_symlink("/proc/sys/kernel/core_pattern", null); }
  SUBCASE("a file") { std::ofstream(null.string()) << "x"; }
  SUBCASE("another device") { REQUIRE(mknod(null.c_str(), S_IFCHR | 0666, makedev(1, 5)) == 0); }
  CHECK(bundle.error().find("make device /dev/null: the rootfs has something else there") != std::string::npos);
}

TEST_CASE("CVE-2024-21626: the working folder leads to a leaked descriptor") {
  const UniqueFd leaked(open("/", O_RDONLY | O_DIRECTORY));
  Bundle bundle;
  for (int fd = 3; fd <= 50; ++fd) {
    CAPTURE(fd);
    bundle.config["process"]["cwd"] = "/proc/self/fd/" + std::to_string(fd);
    CHECK(bundle.error().find("process.cwd: ") == 0);
  }
}

TEST_CASE("CVE-2019-5736: the image runs /proc/self/exe, and can't write to our program through it") {
  Bundle bundle;
  const fs::path own = fs::read_symlink("/proc/self/exe");
  struct stat before, after;
  REQUIRE(stat("/proc/self/exe", &before) == 0);
  fs::create_symlink("/proc/self/exe", bundle.rootfs() / "bin/entry");
  bundle.config["process"]["args"] = {"entry", "--exit"};
  auto launched = bundle.try_launch();
  if (launched) {
    const std::string file = "/proc/" + std::to_string(launched->pid) + "/exe";
    const UniqueFd writing(open(file.c_str(), O_WRONLY | O_CLOEXEC));
    const int code = errno;
    Container ended(std::move(*launched), UniqueFd());
    CHECK(!writing);
    CHECK((code == EROFS || code == ENOENT || code == ETXTBSY));
  }
  // Not only busy for the moment: this very process, from the same file, is refused for good.
  const UniqueFd writing(open("/proc/self/exe", O_WRONLY | O_CLOEXEC));
  CHECK(!writing);
  CHECK((errno == EROFS || errno == ETXTBSY));
  struct statvfs mount_status;
  REQUIRE(statvfs("/proc/self/exe", &mount_status) == 0);
  CHECK((mount_status.f_flag & ST_RDONLY) != 0);
  REQUIRE(stat("/proc/self/exe", &after) == 0);
  CHECK(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
}

TEST_CASE("CVE-2021-30465: a neighbour swaps the mount point for a symlink while containers start") {
  Bundle bundle;
  const Canary canary(bundle);
  const fs::path volume = bundle.path() / "volume";
  fs::create_directories(volume / "real");
  fs::create_directory_symlink(canary.path(), volume / "link");
  const fs::path source = bundle.path() / "source";
  fs::create_directory(source);
  std::ofstream(source / "marker") << "x";
  bundle.add_mount({{"destination", "/volume"}, {"type", "bind"}, {"source", volume}, {"options", {"rbind"}}});
  bundle.add_mount({{"destination", "/volume/real/made"}, {"type", "bind"}, {"source", source}, {"options", {"rbind"}}});
  const std::string real = volume / "real", link = volume / "link";
  const pid_t neighbour = fork();
  if (neighbour == 0)
    for (;;) renameat2(AT_FDCWD, real.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
  for (int i = 0; i < 100; ++i) bundle.error();
  kill(neighbour, SIGKILL);
  waitpid(neighbour, nullptr, 0);
  CHECK(canary.untouched());
}

TEST_CASE("CVE-2022-0492: no way to a release_agent") {
  Bundle bundle;
  const Ended ended = bundle.script("mkdir /tmp/c; mount -t cgroup -o memory none /tmp/c 2>/dev/null && echo mounted; unshare -UrmC mount -t cgroup -o memory none /tmp/c 2>/dev/null && echo mounted; ls /tmp/c").run();
  CHECK(ended.output.empty());
}

TEST_CASE("a mask can't be taken off or looked behind") {
  Bundle bundle;
  const Ended ended = bundle.script("umount /proc/keys; mount -o remount,rw /proc/sys; mount -t proc proc /tmp; cat /tmp/keys").run();
  CHECK(ended.output.find("umount: can't unmount /proc/keys") != std::string::npos);
  CHECK(ended.output.find("/tmp/keys': No such file") != std::string::npos);
}

TEST_CASE("a sysctl that is the whole host's is refused") {
  Bundle bundle;
  const auto refuse = [&](const char* name, const char* reason) {
    bundle.config["linux"]["sysctl"] = Json{{name, "1"}};
    CHECK(bundle.error() == "linux.sysctl[\"" + std::string(name) + "\"]: " + reason);
  };
  refuse("kernel.core_pattern", "belongs to the whole host, no namespace keeps it apart");
  refuse("vm.swappiness", "belongs to the whole host, no namespace keeps it apart");
  refuse("net.//.kernel.core_pattern", "is not the name of a sysctl");
  bundle.config["linux"]["namespaces"].erase(4);
  refuse("net.ipv4.ip_forward", "the container shares this with the host; it needs a namespace of its own in linux.namespaces");
}
