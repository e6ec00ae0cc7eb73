// What this runtime can do, and a config.json to begin with.
#include <fcntl.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "command.h"
#include "monitor/version.h"
#include "runtime/capabilities.h"

namespace mooring::oci {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* first_config = R"({
  "ociVersion": "1.2.0",
  "process": {
    "terminal": true, "user": {"uid": 0, "gid": 0}, "args": ["sh"], "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"], "cwd": "/",
    "capabilities": {"bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"], "effective": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"], "permitted": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]},
    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}], "noNewPrivileges": true},
  "root": {"path": "rootfs", "readonly": true},
  "hostname": "mooring",
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]}],
  "linux": {
    "resources": {"devices": [{"allow": false, "access": "rwm"}]},
    "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"}],
    "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"],
    "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]}})";

// Those that this libseccomp knows.
Json seccomp_architectures() {
  Json known = Json::array();
  for (const char* name : {"aarch64", "arm", "mips", "mips64", "mips64n32", "mipsel", "mipsel64", "mipsel64n32", "parisc", "parisc64", "ppc", "ppc64", "ppc64le", "riscv64", "s390", "s390x", "x32", "x86", "x86_64"}) {
    if (!seccomp_arch_resolve_name(name)) continue;
    std::string upper = "SCMP_ARCH_";
    for (const char* letter = name; *letter; ++letter) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(*letter)));
    known.push_back(std::move(upper));
  }
  return known;
}

}  // namespace

Result<int> features(const Context&, const Arguments&) {
  Json mount_options = Json::array();
  for (const char* option : {"bind", "rbind", "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "atime", "noatime", "relatime", "norelatime", "strictatime", "nostrictatime", "diratime", "nodiratime", "symfollow", "nosymfollow",
                             "rro", "rrw", "rsuid", "rnosuid", "rdev", "rnodev", "rexec", "rnoexec", "ratime", "rnoatime", "rrelatime", "rnorelatime", "rstrictatime", "rnostrictatime", "rdiratime", "rnodiratime", "rsymfollow", "rnosymfollow",
                             "idmap", "ridmap", "tmpcopyup", "remount", "silent", "loud", "defaults", "sync", "async", "dirsync", "lazytime", "nolazytime", "private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"})
    mount_options.push_back(option);
  const Json seccomp_flags = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  Json capabilities = Json::array();
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) capabilities.push_back(capability_name(capability));
  const Json features = {
      {"ociVersionMin", "1.0.0"},
      {"ociVersionMax", kRuntimeSpecVersion},
      {"hooks", {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}},
      {"mountOptions", mount_options},
      {"linux",
       {{"namespaces", {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}},
        {"capabilities", capabilities},
        {"cgroup", {{"v1", true}, {"v2", true}, {"systemd", true}, {"systemdUser", false}, {"rdma", true}}},
        {"seccomp",
         {{"enabled", true},
          {"actions", {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"}},
          {"operators", {"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"}},
          {"archs", seccomp_architectures()},
          {"knownFlags", seccomp_flags},
          {"supportedFlags", seccomp_flags}}},
        {"apparmor", {{"enabled", true}}},
        {"selinux", {{"enabled", true}}},
        {"intelRdt", {{"enabled", false}}},
        {"mountExtensions", {{"idmap", {{"enabled", true}}}}}}},
      {"potentiallyUnsafeConfigAnnotations", {"dev.mooring."}},
      {"annotations", {{"dev.mooring.version", kVersion}, {"org.opencontainers.runc.checkpoint.enabled", "true"}}}};
  std::printf("%s\n", features.dump(2).c_str());
  return 0;
}

Result<int> spec(const Context&, const Arguments& arguments) {
  const std::string path = arguments.value("bundle", ".") + "/config.json";
  if (access(path.c_str(), F_OK) == 0) return Error{path + " exists already", EEXIST};
  MOORING_TRY(write_whole(path, Json::parse(first_config).dump(2) + "\n"));
  return 0;
}

}  // namespace mooring::oci
