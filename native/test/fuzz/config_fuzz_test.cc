// config.json and its parts, nearly right: each is read or refused with an Error that names a field, and what is read holds what the runtime builds on.
#include <doctest/doctest.h>
#include <sched.h>

#include "mutator.h"
#include "runtime/cgroup.h"
#include "runtime/config.h"
#include "runtime/devices.h"

using namespace mooring;
using namespace mooring::test;

namespace {

const Json process = Json::parse(R"({
  "terminal": true, "consoleSize": {"height": 24, "width": 80}, "user": {"uid": 1000, "gid": 1001, "umask": 18, "additionalGids": [5, 6]},
  "args": ["sh", "-c", "true"], "env": ["PATH=/bin", "A=b"], "cwd": "/tmp", "noNewPrivileges": true, "oomScoreAdj": 100,
  "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"], "inheritable": [], "ambient": []},
  "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 512}, {"type": "RLIMIT_CORE", "hard": 0, "soft": 0}],
  "apparmorProfile": "docker-default", "selinuxLabel": "system_u:system_r:container_t:s0",
  "scheduler": {"policy": "SCHED_DEADLINE", "nice": 3, "priority": 0, "flags": ["SCHED_FLAG_RESET_ON_FORK"], "runtime": 10, "deadline": 20, "period": 30},
  "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4}, "execCPUAffinity": {"initial": "0-1,3", "final": "2"}})");

const Json resources = Json::parse(R"({
  "cpu": {"shares": 512, "quota": 50000, "period": 100000, "burst": 1000, "idle": 0, "realtimeRuntime": 1, "realtimePeriod": 2, "cpus": "0-1", "mems": "0"},
  "memory": {"limit": 67108864, "reservation": 1048576, "swap": 134217728, "kernel": 0, "kernelTCP": 0, "swappiness": 10, "disableOOMKiller": false, "checkBeforeUpdate": true},
  "pids": {"limit": 10}, "devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}],
  "blockIO": {"weight": 100, "leafWeight": 10, "weightDevice": [{"major": 8, "minor": 0, "weight": 500, "leafWeight": 300}], "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 600}], "throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": 300}]},
  "hugepageLimits": [{"pageSize": "2MB", "limit": 9223372}], "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}},
  "network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}]}, "unified": {"cgroup.max.depth": "3"}})");

Json whole() {
  Json config = Json::parse(R"({
    "ociVersion": "1.2.0", "root": {"path": "rootfs", "readonly": true}, "hostname": "host", "domainname": "domain",
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
      {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "size=64k", "tmpcopyup", "mode=1777"]},
      {"destination": "/data", "type": "bind", "source": "/srv", "options": ["rbind", "rro", "rslave", "ridmap"], "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}], "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}]},
      {"destination": "/part", "type": "bind", "source": "srv", "options": ["bind", "x-mooring.subpath=a/b", "ro"]},
      {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro", "nosuid"]}],
    "hooks": {"prestart": [{"path": "/bin/a", "args": ["a", "b"], "env": ["C=d"], "timeout": 5}], "createContainer": [{"path": "/bin/b"}], "poststop": [{"path": "/bin/c"}]},
    "annotations": {"a": "b", "dev.mooring.init": "true", "dev.mooring.limits": "required", "dev.mooring.seccomp.cache": "/run/cache", "dev.mooring.rootfs.overlay": "{\"lower\":[\"/a\",\"/b\"],\"upper\":\"/c\",\"work\":\"/d\",\"mapIds\":true}"},
    "linux": {
      "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc", "path": "/proc/1/ns/ipc"}, {"type": "uts"}, {"type": "network"}, {"type": "cgroup"}, {"type": "user"}, {"type": "time"}],
      "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}], "gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
      "timeOffsets": {"monotonic": {"secs": 10, "nanosecs": 5}, "boottime": {"secs": -3}},
      "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438, "uid": 0, "gid": 0}, {"path": "/dev/p", "type": "p"}],
      "cgroupsPath": "/a/b", "sysctl": {"net.core.somaxconn": "256"}, "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"], "rootfsPropagation": "rslave", "mountLabel": "label",
      "personality": {"domain": "LINUX32"}, "intelRdt": {},
      "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/run/agent", "listenerMetadata": "x",
        "syscalls": [{"names": ["read", "close"], "action": "SCMP_ACT_ALLOW"}, {"names": ["clone"], "action": "SCMP_ACT_NOTIFY", "args": [{"index": 0, "value": 1, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}]}]}}})");
  config["process"] = process;
  config["linux"]["resources"] = resources;
  return config;
}

void check_whole(const Config& config) {
  CHECK(config.root.path.starts_with('/'));
  CHECK(!config.process.args.empty());
  CHECK(config.process.cwd.starts_with('/'));
  for (const Mount& mount : config.mounts) {
    CHECK(mount.destination.starts_with('/'));
    if (mount.bind) CHECK(mount.source.starts_with('/'));
  }
  for (const Device& device : config.devices) CHECK(device.path.starts_with('/'));
  for (const JoinedNamespace& one : config.namespaces.joined) CHECK((one.path.starts_with('/') && !(config.namespaces.created & one.flag)));
  CHECK(cgroup_path_of(config, "id").starts_with('/'));
  CHECK(!effective_device_rules(config.resources.devices).empty());
  CHECK(!container_devices(config).empty());
  if (config.namespaces.created & CLONE_NEWUSER) CHECK(config.id_maps.uids.outside(0));
}

}  // namespace

TEST_CASE("fuzz: config.json") {
  const Json original = whole();
  REQUIRE(read_config_text(original.dump(), "/bundle"));
  unsigned taken = 0;
  rounds(4000, [&](Random& random) {
    const auto config = read_config_text(mutated_document(random, original), "/bundle");
    if (!config) {
      CHECK(config.error().message.find("config.json") != std::string::npos);
      return;
    }
    ++taken;
    check_whole(*config);
  });
  CHECK(taken > 100);  // else it is the parser of JSON alone that is tried
}

TEST_CASE("fuzz: process.json") {
  REQUIRE(read_process_text(process.dump()));
  rounds(8000, [&](Random& random) {
    const auto read = read_process_text(mutated_document(random, process));
    if (!read) {
      CHECK(read.error().message.starts_with("process"));
      return;
    }
    CHECK(!read->args.empty());
    CHECK(read->cwd.starts_with('/'));
  });
}

TEST_CASE("fuzz: resources") {
  REQUIRE(read_resources_text(resources.dump()));
  rounds(8000, [&](Random& random) {
    const auto read = read_resources_text(mutated_document(random, resources));
    if (!read) {
      CHECK(read.error().message.find("resources") != std::string::npos);
      return;
    }
    CHECK(!effective_device_rules(read->devices).empty());
    const uint64_t weight = weight_of(read->cpu_shares.value_or(1024));
    CHECK((weight >= 1 && weight <= 10000));
  });
}
