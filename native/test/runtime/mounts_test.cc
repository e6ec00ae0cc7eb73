#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "bundle.h"

using namespace mooring;
using namespace mooring::test;

namespace {

// "options optional-fields" of the mount on `point` in the container, from mountinfo.
std::string mount_line(const Container& container, const std::string& point) {
  std::istringstream lines(container.proc("mountinfo"));
  std::string found;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, root, mounted_on, rest;
    fields >> id >> parent >> device >> root >> mounted_on;
    std::getline(fields, rest);
    if (mounted_on == point) found = rest;
  }
  return found;
}

bool starts_with(const std::string& text, const char* beginning) { return text.rfind(beginning, 0) == 0; }

}  // namespace

TEST_CASE("an overlay: the image below stays as it is, changes go to the upper folder, and the host sees no mount") {
  Bundle bundle;
  const fs::path top = bundle.path() / "top", upper = bundle.path() / "up,per:1", work = bundle.path() / "work", merged = bundle.path() / "merged";
  for (const fs::path& folder : {top / "etc", upper, work, merged}) fs::create_directories(folder);
  std::ofstream(top / "etc/layer") << "top";
  std::ofstream(bundle.rootfs() / "etc/layer") << "bottom";
  std::ofstream(bundle.rootfs() / "etc/old") << "old";
  bundle.config["root"]["path"] = "merged";
  bundle.config["annotations"]["dev.mooring.rootfs.overlay"] = Json{{"lower", {top.string(), bundle.rootfs().string()}}, {"upper", upper}, {"work", work}}.dump();
  Container container = bundle.script("cat /etc/layer /etc/old; echo new >/etc/old; touch /etc/made; exec sleep 30").start();
  CHECK(eventually([&] { return fs::exists(upper / "etc/made"); }));
  CHECK(slurp("/proc/self/mountinfo").find(merged.string()) == std::string::npos);
  CHECK(fs::is_empty(merged));
  CHECK(mount_line(container, "/").find("- overlay overlay") != std::string::npos);
  CHECK(container.stop_at_sleep().output == "topold");
  CHECK(slurp(upper / "etc/old") == "new\n");
  CHECK(slurp(bundle.rootfs() / "etc/old") == "old");
  CHECK(!fs::exists(bundle.rootfs() / "etc/made"));
}

TEST_CASE("an overlay that can't be mounted names the layer") {
  Bundle bundle;
  bundle.config["annotations"]["dev.mooring.rootfs.overlay"] = R"({"lower":["/nothing/there"],"upper":"/tmp","work":"/tmp"})";
  CHECK(bundle.error() == "overlay layer /nothing/there: No such file or directory");
  bundle.config["annotations"]["dev.mooring.rootfs.overlay"] = R"({"lower":["relative"],"upper":"/tmp","work":"/tmp"})";
  CHECK(bundle.error().find("config.json: annotations[\"dev.mooring.rootfs.overlay\"]: must be JSON as") == 0);
}

TEST_CASE("nothing of the host's mount table remains, and nothing gets out") {
  Bundle bundle;
  Container container = bundle.script("exec sleep 30").start();
  const std::string table = container.proc("mountinfo");
  CHECK(table.find("shared:") == std::string::npos);
  CHECK(table.find("master:") == std::string::npos);
  CHECK(slurp("/proc/self/mountinfo").find(bundle.path()) == std::string::npos);
  // Every mount point in it is the container's: its root, and what config.json and the runtime put below.
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, root, point;
    fields >> id >> parent >> device >> root >> point;
    CAPTURE(point);
    const bool own = point == "/" || starts_with(point, "/proc") || starts_with(point, "/dev") || starts_with(point, "/sys");
    CHECK(own);
  }
}

TEST_CASE("bind mounts: files and folders, read-only, made mount points, options") {
  Bundle bundle;
  const fs::path source = bundle.path() / "source";
  fs::create_directories(source / "below");
  std::ofstream(source / "file") << "content\n";
  bundle.add_mount({{"destination", "/made/folder"}, {"type", "bind"}, {"source", source}, {"options", {"rbind", "ro", "nosuid", "noexec"}}});
  bundle.add_mount({{"destination", "/made/too/file"}, {"type", "none"}, {"source", "source/file"}, {"options", {"bind", "rw", "nodev", "noatime"}}});
  Container container = bundle.script("cat /made/folder/file /made/too/file; touch /made/folder/x; echo changed >/made/too/file; exec sleep 30").start();
  CHECK(eventually([&] { return slurp(source / "file") == "changed\n"; }));
  CHECK(starts_with(mount_line(container, "/made/folder"), " ro,nosuid,noexec,relatime -"));
  CHECK(starts_with(mount_line(container, "/made/too/file"), " rw,nodev,noatime -"));
  CHECK(container.stop_at_sleep().output == "content\ncontent\ntouch: /made/folder/x: Read-only file system\n");
}

TEST_CASE("a mount point behind symlinks that lead to nothing yet is made where they lead, a circle of them is an error") {
  Bundle bundle;
  const fs::path file = bundle.path() / "file", folder = bundle.path() / "folder", etc = bundle.rootfs() / "etc";
  std::ofstream(file) << "mounted\n";
  fs::create_directory(folder);
  std::ofstream(folder / "below") << "folder\n";
  fs::create_symlink("../run/systemd/resolve/stub-resolv.conf", etc / "resolv.conf");  // as distributions have it
  fs::create_symlink("/tmp/foo/bar", bundle.rootfs() / "jump");
  fs::create_symlink("/jump/baz/hosts", etc / "hosts");
  fs::create_symlink("./there", etc / "here");
  for (const char* name : {"resolv.conf", "hosts"}) bundle.add_mount({{"destination", std::string("/etc/") + name}, {"type", "bind"}, {"source", file}, {"options", {"bind"}}});
  bundle.add_mount({{"destination", "/etc/here"}, {"type", "bind"}, {"source", folder}, {"options", {"bind"}}});
  CHECK(bundle.script("cat /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf /tmp/foo/bar/baz/hosts /etc/there/below").run().output == "mounted\nmounted\nmounted\nfolder\n");
  fs::create_symlink("/etc/circle/more", etc / "circle");
  bundle.add_mount({{"destination", "/etc/circle"}, {"type", "bind"}, {"source", folder}, {"options", {"bind"}}});
  CHECK(bundle.error().find("(/etc/circle): open /etc/circle in the rootfs: Too many levels of symbolic links") != std::string::npos);
}

TEST_CASE("read-only reaches the mounts below only where asked to (rro)") {
  Bundle bundle;
  const fs::path source = bundle.path() / "source";
  fs::create_directories(source / "below");
  REQUIRE(mount("tmpfs", (source / "below").c_str(), "tmpfs", 0, "size=64k") == 0);
  bundle.add_mount({{"destination", "/ro"}, {"type", "bind"}, {"source", source}, {"options", {"rbind", "ro"}}});
  bundle.add_mount({{"destination", "/rro"}, {"type", "bind"}, {"source", source}, {"options", {"rbind", "rro"}}});
  {
    Container container = bundle.script("exec sleep 30").start();
    CHECK(starts_with(mount_line(container, "/ro/below"), " rw"));
    CHECK(starts_with(mount_line(container, "/rro"), " ro"));
    CHECK(starts_with(mount_line(container, "/rro/below"), " ro"));
  }
  umount2((source / "below").c_str(), MNT_DETACH);
}

TEST_CASE("propagation: private by itself, slave and shared where asked") {
  Bundle bundle;
  const fs::path source = bundle.path() / "source";
  fs::create_directories(source / "later");
  REQUIRE(mount(source.c_str(), source.c_str(), nullptr, MS_BIND, nullptr) == 0);
  REQUIRE(mount(nullptr, source.c_str(), nullptr, MS_SHARED, nullptr) == 0);
  for (const char* kind : {"rprivate", "rslave", "rshared"}) bundle.add_mount({{"destination", "/" + std::string(kind)}, {"type", "bind"}, {"source", source}, {"options", {"rbind", kind}}});
  {
    Container container = bundle.script("exec sleep 30").start();
    REQUIRE(mount("tmpfs", (source / "later").c_str(), "tmpfs", 0, "size=64k") == 0);
    CHECK(mount_line(container, "/rprivate").find("master:") == std::string::npos);
    CHECK(mount_line(container, "/rslave").find("master:") != std::string::npos);
    CHECK(mount_line(container, "/rshared").find("shared:") != std::string::npos);
    CHECK(mount_line(container, "/rprivate/later").empty());
    CHECK(!mount_line(container, "/rslave/later").empty());
    CHECK(!mount_line(container, "/rshared/later").empty());
  }
  umount2((source / "later").c_str(), MNT_DETACH);
  umount2(source.c_str(), MNT_DETACH);
}

TEST_CASE("tmpfs: its own options, the mode of what it covers, and read-only with a mount inside") {
  Bundle bundle;
  bundle.add_mount({{"destination", "/tmp"}, {"type", "tmpfs"}, {"source", "tmpfs"}, {"options", {"size=1m", "nosuid"}}});
  bundle.add_mount({{"destination", "/closed"}, {"type", "tmpfs"}, {"source", "tmpfs"}, {"options", {"ro", "mode=0711"}}});
  bundle.add_mount({{"destination", "/closed/inside"}, {"type", "bind"}, {"source", bundle.rootfs()}, {"options", {"bind"}}});
  bundle.add_mount({{"destination", "/made/for/it"}, {"type", "tmpfs"}, {"source", "tmpfs"}});
  Container container = bundle.script("stat -c %a /tmp /closed /made/for /made/for/it; ls /closed; exec sleep 30").start();
  CHECK(mount_line(container, "/tmp").find("size=1024k") != std::string::npos);
  CHECK(starts_with(mount_line(container, "/closed"), " ro"));
  CHECK(container.stop_at_sleep().output == "1777\n711\n755\n1777\ninside\n");
}

TEST_CASE("mounts that can't be are refused by index, with the file system's own words") {
  Bundle bundle;
  const auto refuse = [&](Json mount, const std::string& message) {
    bundle.config["mounts"][7] = std::move(mount);
    CHECK(bundle.error() == message);
  };
  refuse({{"destination", "/x"}, {"type", "tmpfs"}, {"options", {"size=lots"}}}, "mounts[7] (/x): tmpfs: set option size=lots: Invalid argument (tmpfs: Bad value for 'size')");
  refuse({{"destination", "/x"}, {"type", "mqueue"}, {"options", {"tmpcopyup"}}}, "config.json: mounts[7].options: \"tmpcopyup\" means nothing but to a tmpfs");
  refuse({{"destination", "/x"}, {"type", "tmpfs"}, {"options", {"idmap"}}}, "config.json: mounts[7]: only a bind mount can be id-mapped");
  refuse({{"destination", "/x"}, {"type", "bind"}, {"source", "/tmp"}, {"options", {"bind", "idmap"}}}, "config.json: mounts[7]: \"idmap\" without uidMappings and gidMappings needs a user namespace in linux.namespaces");
  refuse({{"destination", "/proc"}, {"options", {"remount", "size=1"}}}, "config.json: mounts[7].options: \"size=1\": a remount changes the flags of a mount, not its file system");
  refuse({{"destination", "/tmp"}, {"options", {"remount", "ro"}}}, "mounts[7] (/tmp): set mount flags of /tmp: Invalid argument");
  refuse({{"destination", "/x"}, {"type", "bind"}, {"source", "/"}, {"options", {"size=1"}}}, "config.json: mounts[7].options: \"size=1\" means nothing to a bind mount");
  refuse({{"destination", "/x"}, {"type", "wishfs"}}, "mounts[7] (/x): open file system wishfs: No such device");
  refuse({{"destination", "/"}, {"type", "tmpfs"}}, "mounts[7] (/): is the rootfs itself");
  refuse({{"destination", "/bin/busybox"}, {"type", "tmpfs"}}, "mounts[7] (/bin/busybox): the rootfs has a file there, but a folder is to be mounted");
}

TEST_CASE("id-mapped bind mounts: by mappings of their own, or the container's") {
  Bundle bundle;
  const fs::path source = bundle.path() / "source";
  fs::create_directories(source / "below");
  std::ofstream(source / "file") << "x";
  REQUIRE(mount("tmpfs", (source / "below").c_str(), "tmpfs", 0, "size=64k,uid=5") == 0);
  const Json maps = {{{"containerID", 0}, {"hostID", 1000}, {"size", 100}}};
  const auto add = [&](const char* destination, Json options, bool own) {
    Json mount = {{"destination", destination}, {"type", "bind"}, {"source", source}, {"options", std::move(options)}};
    if (own) mount["uidMappings"] = mount["gidMappings"] = maps;
    bundle.add_mount(std::move(mount));
  };
  SUBCASE("its own") {
    add("/mnt", {"rbind"}, true);
    add("/all", {"rbind", "ridmap"}, true);
    const Ended ended = bundle.script("stat -c %u:%g /mnt/file /mnt/below /all/file /all/below; touch /mnt/made; stat -c %u /mnt/made").run();
    CHECK(ended.output == "1000:1000\n5:0\n1000:1000\n1005:1000\ntouch: /mnt/made: Value too large for defined data type\nstat: can't stat '/mnt/made': No such file or directory\n");
  }
  SUBCASE("the container's") {
    bundle.map_users();
    add("/mnt", {"rbind", "idmap"}, false);
    CHECK(bundle.script("stat -c %u:%g /mnt/file; touch /mnt/made; stat -c %u /mnt/made").run().output == "0:0\n0\n");
    struct stat made;
    REQUIRE(stat((source / "made").c_str(), &made) == 0);
    CHECK(made.st_uid == 0);
  }
  umount2((source / "below").c_str(), MNT_DETACH);
}

TEST_CASE("recursive attributes reach every mount below, access times too") {
  Bundle bundle;
  const fs::path source = bundle.path() / "source";
  fs::create_directories(source / "below");
  REQUIRE(mount("tmpfs", (source / "below").c_str(), "tmpfs", MS_NOEXEC, "size=64k") == 0);
  bundle.add_mount({{"destination", "/mnt"}, {"type", "bind"}, {"source", source}, {"options", {"rbind", "rnosuid", "rnodev", "rexec", "rnoatime", "rnodiratime", "rnosymfollow", "rrw"}}});
  {
    Container container = bundle.script("exec sleep 30").start();
    CHECK(starts_with(mount_line(container, "/mnt/below"), " rw,nosuid,nodev,noatime,nodiratime,nosymfollow -"));
    CHECK(starts_with(mount_line(container, "/mnt"), " rw,nosuid,nodev,noatime,nodiratime,nosymfollow -"));
  }
  umount2((source / "below").c_str(), MNT_DETACH);
}

TEST_CASE("tmpcopyup: a tmpfs begins with what it covers, and nothing goes back") {
  Bundle bundle;
  const fs::path run = bundle.rootfs() / "run";
  fs::create_directories(run / "deep/er");
  std::ofstream(run / "deep/file") << "content\n";
  fs::permissions(run / "deep/file", fs::perms(0606));
  REQUIRE(chown((run / "deep/file").c_str(), 5, 6) == 0);
  fs::create_symlink("/etc/passwd", run / "link");
  REQUIRE(mkfifo((run / "fifo").c_str(), 0600) == 0);
  fs::permissions(run / "deep/er", fs::perms(01777));
  bundle.add_mount({{"destination", "/run"}, {"type", "tmpfs"}, {"source", "tmpfs"}, {"options", {"tmpcopyup", "size=1m"}}});
  SUBCASE("as it is") {}
  SUBCASE("in a user namespace") {
    bundle.map_users();
    REQUIRE(chown((run / "deep/file").c_str(), outside_root + 5, outside_root + 6) == 0);
  }
  CHECK(bundle.script("cd /run; cat deep/file; stat -c '%a %u:%g' deep/file; readlink link; stat -c %F fifo; stat -c %a deep/er; echo new >deep/file; touch made").run().output ==
        "content\n606 5:6\n/etc/passwd\nfifo\n1777\n");
  CHECK(slurp(run / "deep/file") == "content\n");
  CHECK(!fs::exists(run / "made"));
}

TEST_CASE("remount changes the flags of a mount that is there") {
  Bundle bundle;
  bundle.add_mount({{"destination", "/dev/shm"}, {"options", {"remount", "ro", "noexec"}}});
  Container container = bundle.script("exec sleep 30").start();
  CHECK(starts_with(mount_line(container, "/dev/shm"), " ro,nosuid,nodev,noexec"));
}

TEST_CASE("rootfsPropagation: the root, and mounts without a word of their own") {
  Bundle bundle;
  const fs::path source = bundle.path() / "source";
  fs::create_directories(source / "later");
  REQUIRE(mount(source.c_str(), source.c_str(), nullptr, MS_BIND, nullptr) == 0);
  REQUIRE(mount(nullptr, source.c_str(), nullptr, MS_SHARED, nullptr) == 0);
  bundle.add_mount({{"destination", "/mnt"}, {"type", "bind"}, {"source", source}, {"options", {"rbind"}}});
  bundle.add_mount({{"destination", "/own"}, {"type", "bind"}, {"source", source}, {"options", {"rbind", "rprivate"}}});
  SUBCASE("shared") {
    bundle.config["linux"]["rootfsPropagation"] = "shared";
    Container container = bundle.script("exec sleep 30").start();
    CHECK(mount_line(container, "/").find("shared:") != std::string::npos);
    CHECK(mount_line(container, "/mnt").find("shared:") != std::string::npos);
  }
  SUBCASE("rslave") {
    bundle.config["linux"]["rootfsPropagation"] = "rslave";
    Container container = bundle.script("exec sleep 30").start();
    REQUIRE(mount("tmpfs", (source / "later").c_str(), "tmpfs", 0, "size=64k") == 0);
    CHECK(!mount_line(container, "/mnt/later").empty());
    CHECK(mount_line(container, "/own/later").empty());
  }
  SUBCASE("unbindable") {
    bundle.config["linux"]["rootfsPropagation"] = "unbindable";
    Container container = bundle.script("exec sleep 30").start();
    CHECK(mount_line(container, "/").find("unbindable") != std::string::npos);
  }
  umount2((source / "later").c_str(), MNT_DETACH);
  umount2(source.c_str(), MNT_DETACH);
}
