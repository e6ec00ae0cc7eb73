// What is written to which file, with plain files in place of the kernel's, which may lack the controller or the device.
#include <doctest/doctest.h>
#include <fcntl.h>

#include <fstream>

#include "bundle.h"
#include "runtime/cgroup.h"

using namespace mooring;
using namespace mooring::test;

namespace {

struct Folder {
  Bundle bundle;
  std::string label = "x";
  UniqueFd fd{open(bundle.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};

  explicit Folder(std::initializer_list<const char*> files) {
    for (const char* name : files) std::ofstream(bundle.path() / name) << "";
  }
  std::string holds(const char* name) const { return slurp(bundle.path() / name); }
  std::string limit(bool unified, std::vector<std::string> controllers, const Resources& resources) const {
    const Hierarchy hierarchy{"", std::move(controllers), unified};
    const Status done = unified ? limit_v2(hierarchy, fd.get(), label, false, resources) : limit_v1(hierarchy, fd.get(), label, false, resources);
    return done ? "" : done.error().message;
  }
};

Resources of(const char* json) {
  auto resources = read_resources_text(json);
  REQUIRE(resources);
  return *resources;
}

constexpr const char* io = R"({"blockIO": {"weight": 500, "weightDevice": [{"major": 8, "minor": 0, "weight": 10}],
  "throttleReadBpsDevice": [{"major": 8, "minor": 16, "rate": 1000}], "throttleWriteIOPSDevice": [{"major": 8, "minor": 16, "rate": 7}]}})";

}  // namespace

TEST_CASE("block I/O in the words of either version") {
  const Folder v1({"blkio.weight", "blkio.weight_device", "blkio.throttle.read_bps_device", "blkio.throttle.write_iops_device"});
  CHECK(v1.limit(false, {"blkio"}, of(io)) == "");
  CHECK(v1.holds("blkio.weight") == "500");
  CHECK(v1.holds("blkio.weight_device") == "8:0 10");
  CHECK(v1.holds("blkio.throttle.read_bps_device") == "8:16 1000");
  CHECK(v1.holds("blkio.throttle.write_iops_device") == "8:16 7");

  const Folder v2({"io.bfq.weight", "io.max"});
  CHECK(v2.limit(true, {"io"}, of(R"({"blockIO": {"weight": 500, "throttleWriteBpsDevice": [{"major": 8, "minor": 16, "rate": 0}]}})")) == "");
  CHECK(v2.holds("io.bfq.weight") == "500");
  CHECK(v2.holds("io.max") == "8:16 wbps=max");

  const Folder plain({"io.weight"});
  CHECK(plain.limit(true, {"io"}, of(R"({"blockIO": {"weight": 1000}})")) == "");
  CHECK(plain.holds("io.weight") == "10000");
  CHECK(plain.limit(true, {"io"}, of(R"({"blockIO": {"leafWeight": 100}})")) == "linux.resources.blockIO.leafWeight: cgroup version 2 has no such limit");
  CHECK(Folder({}).limit(false, {"blkio"}, of(R"({"blockIO": {"weight": 100}})")) == "linux.resources.blockIO.weight: this kernel's cgroups have no blkio.weight");
}

TEST_CASE("huge pages and RDMA") {
  const Folder folder({"hugetlb.2MB.max", "hugetlb.2MB.rsvd.max", "rdma.max"});
  CHECK(folder.limit(true, {"hugetlb", "rdma"}, of(R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}], "rdma": {"mlx5": {"hcaHandles": 3, "hcaObjects": 4}}})")) == "");
  CHECK(folder.holds("hugetlb.2MB.max") == "4194304");
  CHECK(folder.holds("hugetlb.2MB.rsvd.max") == "4194304");
  CHECK(folder.holds("rdma.max") == "mlx5 hca_handle=3 hca_object=4");
  CHECK(folder.limit(true, {"hugetlb"}, of(R"({"hugepageLimits": [{"pageSize": "1GB", "limit": 0}]})")) == "linux.resources.hugepageLimits: this host has no huge pages of 1GB");
  auto odd = read_resources_text(R"({"hugepageLimits": [{"pageSize": "2MB/../../x", "limit": 0}]})");
  REQUIRE(!odd);
  CHECK(odd.error().message == "resources.hugepageLimits[0].pageSize: must be a size as \"2MB\"");
}

TEST_CASE("the CPU's newer limits, and what version 2 has not") {
  const Folder v2({"cpu.max", "cpu.max.burst", "cpu.idle", "cpu.weight"});
  CHECK(v2.limit(true, {"cpu"}, of(R"({"cpu": {"quota": 20000, "burst": 10000, "idle": 1}})")) == "");
  CHECK(v2.holds("cpu.max") == "20000");
  CHECK(v2.holds("cpu.max.burst") == "10000");
  CHECK(v2.holds("cpu.idle") == "1");
  CHECK(v2.limit(true, {"cpu"}, of(R"({"cpu": {"period": 50000}})")) == "");
  CHECK(v2.holds("cpu.max") == "20000 50000");
  CHECK(v2.limit(true, {"cpu"}, of(R"({"cpu": {"realtimeRuntime": 1}})")) == "linux.resources.cpu.realtimeRuntime: cgroup version 2 has no such limit");
  CHECK(v2.limit(true, {"memory"}, of(R"({"memory": {"swappiness": 1}})")) == "linux.resources.memory.swappiness: cgroup version 2 has no such limit");
  CHECK(v2.limit(true, {"memory"}, of(R"({"memory": {"disableOOMKiller": true}})")) == "linux.resources.memory.disableOOMKiller: cgroup version 2 has no such limit");
  CHECK(Folder({"cpu.max"}).limit(true, {"cpu"}, of(R"({"cpu": {"burst": 1}})")) == "linux.resources.cpu.burst: this kernel's cgroups have no cpu.max.burst");

  const Folder v1({"cpu.cfs_quota_us", "cpu.cfs_burst_us", "cpu.rt_period_us", "cpu.rt_runtime_us"});
  CHECK(v1.limit(false, {"cpu"}, of(R"({"cpu": {"quota": 20000, "burst": 10000, "realtimeRuntime": 95, "realtimePeriod": 100}})")) == "");
  CHECK(v1.holds("cpu.cfs_burst_us") == "10000");
  CHECK(v1.holds("cpu.rt_period_us") == "100");
  CHECK(v1.holds("cpu.rt_runtime_us") == "95");
}

TEST_CASE("network classes and priorities, which version 1 only has") {
  const Folder folder({"net_cls.classid", "net_prio.ifpriomap"});
  const Resources asked = of(R"({"network": {"classID": 1048577, "priorities": [{"name": "lo", "priority": 5}]}})");
  CHECK(folder.limit(false, {"net_cls", "net_prio"}, asked) == "");
  CHECK(folder.holds("net_cls.classid") == "1048577");
  CHECK(folder.holds("net_prio.ifpriomap") == "lo 5");
  const Status refused = check_controllers({{"", {"cpu"}, true}}, asked);
  REQUIRE(!refused);
  CHECK(refused.error().message == "linux.resources.network.classID: this host has no cgroup controller \"net_cls\", which version 1 only has");
}

TEST_CASE("swap on version 2 is what is above memory, also when only one of them is changed") {
  const Folder folder({"memory.max", "memory.swap.max", "memory.current", "memory.low"});
  CHECK(folder.limit(true, {"memory"}, of(R"({"memory": {"swap": 3000}})")) == "linux.resources.memory.swap: needs memory.limit too");
  std::ofstream(folder.bundle.path() / "memory.max") << "1000\n";
  CHECK(folder.limit(true, {"memory"}, of(R"({"memory": {"swap": 3000}})")) == "");
  CHECK(folder.holds("memory.swap.max") == "2000");
  std::ofstream(folder.bundle.path() / "memory.current") << "5000\n";
  CHECK(folder.limit(true, {"memory"}, of(R"({"memory": {"limit": 4000, "checkBeforeUpdate": true}})")) == "linux.resources.memory.limit: 5000 bytes are in use, which is above 4000");
}
