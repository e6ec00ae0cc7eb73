#include "stats.h"

#include <fcntl.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "runtime/cgroup.h"
#include "runtime/files.h"

namespace mooring::oci {
namespace {

using Json = nlohmann::json;

uint64_t number_in(const std::string& folder, const char* file) {
  auto text = read_file(AT_FDCWD, folder + "/" + file);
  return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;  // "max", and a file that this kernel lacks, are 0 as in runc
}

// "key value" lines.
Json table_in(const std::string& folder, const char* file) {
  Json table = Json::object();
  auto text = read_file(AT_FDCWD, folder + "/" + file);
  for (std::size_t at = 0; text && at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size()), space = text->find(' ', at);
    if (space < end) table[text->substr(at, space - at)] = std::strtoull(text->c_str() + space, nullptr, 10);
    at = end + 1;
  }
  return table;
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" (Documentation/accounting/psi.rst)
Json pressure_in(const std::string& folder, const char* file) {
  Json pressure = Json::object();
  auto text = read_file(AT_FDCWD, folder + "/" + file);
  for (std::size_t at = 0; text && at < text->size(); at = std::min(text->find('\n', at), text->size() - 1) + 1) {
    char kind[8];
    double avg10, avg60, avg300;
    unsigned long long total;
    if (std::sscanf(text->c_str() + at, "%7s avg10=%lf avg60=%lf avg300=%lf total=%llu", kind, &avg10, &avg60, &avg300, &total) == 5)
      pressure[kind] = {{"avg10", avg10}, {"avg60", avg60}, {"avg300", avg300}, {"total", total}};
  }
  return pressure;
}

Json memory_stats(const std::string& folder, bool v2) {
  return {{"usage",
           {{"usage", number_in(folder, v2 ? "memory.current" : "memory.usage_in_bytes")},
            {"limit", number_in(folder, v2 ? "memory.max" : "memory.limit_in_bytes")},
            {"max", number_in(folder, v2 ? "memory.peak" : "memory.max_usage_in_bytes")},
            {"failcnt", v2 ? table_in(folder, "memory.events").value("max", 0) : number_in(folder, "memory.failcnt")}}},
          {"raw", table_in(folder, "memory.stat")}};
}

void add_cpu(Json& cpu, const std::string& folder, bool v2) {
  const Json table = table_in(folder, "cpu.stat");
  const uint64_t throttled = v2 ? table.value("throttled_usec", uint64_t{0}) * 1000 : table.value("throttled_time", uint64_t{0});
  cpu["throttling"] = {{"periods", table.value("nr_periods", uint64_t{0})}, {"throttledPeriods", table.value("nr_throttled", uint64_t{0})}, {"throttledTime", throttled}};
  if (!v2) return;
  for (const auto& [key, name] : {std::pair{"total", "usage_usec"}, {"kernel", "system_usec"}, {"user", "user_usec"}}) cpu["usage"][key] = table.value(name, uint64_t{0}) * 1000;
}

// "8:0 Read 4096" and "8:0 rbytes=4096 …" lines.
Json io_bytes(const std::string& folder, bool v2) {
  Json entries = Json::array();
  auto text = read_file(AT_FDCWD, folder + (v2 ? "/io.stat" : "/blkio.throttle.io_service_bytes"));
  for (std::size_t at = 0; text && at < text->size(); at = std::min(text->find('\n', at), text->size() - 1) + 1) {
    unsigned major, minor;
    char operation[16];
    unsigned long long value, written;
    if (!v2 && std::sscanf(text->c_str() + at, "%u:%u %15s %llu", &major, &minor, operation, &value) == 4) entries.push_back({{"major", major}, {"minor", minor}, {"op", operation}, {"value", value}});
    if (v2 && std::sscanf(text->c_str() + at, "%u:%u rbytes=%llu wbytes=%llu", &major, &minor, &value, &written) == 4) {
      entries.push_back({{"major", major}, {"minor", minor}, {"op", "Read"}, {"value", value}});
      entries.push_back({{"major", major}, {"minor", minor}, {"op", "Write"}, {"value", written}});
    }
  }
  return entries;
}

void add_huge_pages(Json& data, const std::string& folder, bool v2) {
  std::error_code none;  // not placed there
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename(), suffix = v2 ? ".current" : ".usage_in_bytes";
    if (!name.starts_with("hugetlb.") || !name.ends_with(suffix) || name.find(".rsvd") != std::string::npos) continue;
    data["hugetlb"][name.substr(8, name.size() - 8 - suffix.size())] = {{"usage", number_in(folder, name.c_str())}};
  }
}

}  // namespace

Result<std::string> stats_line(const Container& container) {
  auto hierarchies = find_all_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  Json data = Json::object();
  for (const Hierarchy& one : *hierarchies) {
    const std::string folder = one.mount_point + container.cgroup;
    const bool v2 = one.unified;
    if (one.has("pids")) data["pids"] = {{"current", number_in(folder, "pids.current")}, {"limit", number_in(folder, "pids.max")}};
    if (one.has("memory")) data["memory"] = memory_stats(folder, v2);
    if (one.has("cpuacct")) data["cpu"]["usage"]["total"] = number_in(folder, "cpuacct.usage");
    if (one.has("cpu")) add_cpu(data["cpu"], folder, v2);
    if (one.has("blkio") || one.has("io")) data["blkio"]["ioServiceBytesRecursive"] = io_bytes(folder, v2);
    if (one.has("hugetlb")) add_huge_pages(data, folder, v2);
  }
  for (const Hierarchy& one : *hierarchies) {
    if (!one.unified || container.cgroup.empty()) continue;
    for (const auto& [resource, file] : {std::pair{"cpu", "cpu.pressure"}, {"memory", "memory.pressure"}, {"blkio", "io.pressure"}})
      if (Json pressure = pressure_in(one.mount_point + container.cgroup, file); !pressure.empty()) data[resource]["psi"] = std::move(pressure);
  }
  return Json{{"type", "stats"}, {"id", container.id}, {"data", data}}.dump();
}

Result<std::string> memory_cgroup_of(const Container& container) {
  auto hierarchies = find_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  for (const Hierarchy& one : *hierarchies)
    if (one.has("memory")) return one.mount_point + container.cgroup;
  return Error{"this host has no cgroup controller \"memory\", which counts out-of-memory kills", ENOENT};
}

}  // namespace mooring::oci
