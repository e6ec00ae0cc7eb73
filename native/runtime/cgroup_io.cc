// Block devices: blkio on version 1, io on version 2.
#include "cgroup_limits.h"

namespace mooring {
namespace {

std::string device(unsigned major, unsigned minor) { return std::to_string(major) + ":" + std::to_string(minor); }

// The one that the host's I/O scheduler has, of "blkio.weight" (CFQ, before Linux 5) and "blkio.bfq.weight".
std::string scheduler_file(const Limits& limits, const std::string& controller, const char* name) {
  const std::string bfq = controller + ".bfq." + name;
  return limits.has(bfq.c_str()) ? bfq : controller + "." + name;
}

// The spec's weight 10…1000 onto io.weight's 1…10000, as other runtimes map them.
uint64_t io_weight_of(uint64_t weight) { return 1 + (weight - 10) * 9999 / 990; }

}  // namespace

Status limit_io_v1(const Limits& limits, const IoLimits& io) {
  if (io.weight) MOORING_TRY(limits.write(scheduler_file(limits, "blkio", "weight"), std::to_string(*io.weight), "blockIO.weight"));
  if (io.leaf_weight) MOORING_TRY(limits.write(scheduler_file(limits, "blkio", "leaf_weight"), std::to_string(*io.leaf_weight), "blockIO.leafWeight"));
  for (const IoWeight& one : io.weights) {
    const std::string name = device(one.major, one.minor) + " ";
    if (one.weight) MOORING_TRY(limits.write(scheduler_file(limits, "blkio", "weight_device"), name + std::to_string(*one.weight), "blockIO.weightDevice"));
    if (one.leaf_weight) MOORING_TRY(limits.write(scheduler_file(limits, "blkio", "leaf_weight_device"), name + std::to_string(*one.leaf_weight), "blockIO.weightDevice"));
  }
  constexpr const char* files[] = {"blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device", "blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device"};
  for (const IoRate& one : io.rates) MOORING_TRY(limits.write(files[one.kind], device(one.major, one.minor) + " " + std::to_string(one.rate), "blockIO"));
  return ok();
}

Status limit_io_v2(const Limits& limits, const IoLimits& io) {
  if (io.leaf_weight) return no_such_limit("blockIO.leafWeight", true);
  const bool bfq = limits.has("io.bfq.weight");
  const char* file = bfq ? "io.bfq.weight" : "io.weight";
  const auto text = [&](uint64_t weight) { return std::to_string(bfq ? weight : io_weight_of(weight)); };
  if (io.weight) MOORING_TRY(limits.write(file, text(*io.weight), "blockIO.weight"));
  for (const IoWeight& one : io.weights) {
    if (one.leaf_weight) return no_such_limit("blockIO.weightDevice.leafWeight", true);
    if (one.weight) MOORING_TRY(limits.write(file, device(one.major, one.minor) + " " + text(*one.weight), "blockIO.weightDevice"));
  }
  constexpr const char* keys[] = {"rbps", "wbps", "riops", "wiops"};
  for (const IoRate& one : io.rates) MOORING_TRY(limits.write("io.max", device(one.major, one.minor) + " " + keys[one.kind] + "=" + (one.rate ? std::to_string(one.rate) : "max"), "blockIO"));
  return ok();
}

}  // namespace mooring
