#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "command.h"
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

Result<Json> stats(const Container& container) {
  auto hierarchies = find_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  Json data = Json::object();
  for (const Hierarchy& one : *hierarchies) {
    const std::string folder = one.mount_point + container.cgroup;
    const bool v2 = one.unified;
    if (one.has("pids")) data["pids"] = {{"current", number_in(folder, "pids.current")}, {"limit", number_in(folder, "pids.max")}};
    if (one.has("memory")) {
      data["memory"]["usage"] = {{"usage", number_in(folder, v2 ? "memory.current" : "memory.usage_in_bytes")}, {"limit", number_in(folder, v2 ? "memory.max" : "memory.limit_in_bytes")},
                                 {"max", number_in(folder, v2 ? "memory.peak" : "memory.max_usage_in_bytes")}, {"failcnt", v2 ? 0 : number_in(folder, "memory.failcnt")}};
      data["memory"]["raw"] = table_in(folder, "memory.stat");
    }
    if (v2 && one.has("cpu")) data["cpu"]["usage"]["total"] = table_in(folder, "cpu.stat").value("usage_usec", uint64_t{0}) * 1000;
    if (!v2 && one.has("cpuacct")) data["cpu"]["usage"]["total"] = number_in(folder, "cpuacct.usage");
    if (!v2 && one.has("cpu")) {
      const Json throttling = table_in(folder, "cpu.stat");
      data["cpu"]["throttling"] = {{"periods", throttling.value("nr_periods", 0)}, {"throttledPeriods", throttling.value("nr_throttled", 0)}, {"throttledTime", throttling.value("throttled_time", uint64_t{0})}};
    }
  }
  return Json{{"type", "stats"}, {"id", container.id}, {"data", data}};
}

}  // namespace

Result<int> events(const Context& context, const Arguments& arguments) {
  const unsigned interval = static_cast<unsigned>(std::atoi(arguments.value("interval", "5").c_str()));  // "5s"
  if (!interval) return Error{"--interval: must be a whole number of seconds above zero"};
  for (;;) {
    auto container = load_container(context.root, arguments.operands()[0]);
    if (!container) return std::move(container.error());
    const State now = container->state();
    if (now == State::stopped || now == State::creating) return arguments.has("stats") ? Result<int>(Error{"container not running: \"" + container->id + "\"", ESRCH}) : Result<int>(0);
    auto line = stats(*container);
    if (!line) return std::move(line.error());
    std::printf("%s\n", line->dump().c_str());
    std::fflush(stdout);
    if (arguments.has("stats")) return 0;
    sleep(interval);
  }
}

}  // namespace mooring::oci
