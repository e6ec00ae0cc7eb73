// config.json's linux.resources.
#include <string_view>

#include "config_parts.h"

namespace mooring {
namespace {

void read_device_rule(const JsonNode& node, std::vector<DeviceRule>& rules) {
  DeviceRule rule;
  std::string type;
  node.at("allow").read(rule.allow);
  node.at("type").read(type);
  node.at("major").read(rule.major);
  node.at("minor").read(rule.minor);
  node.at("access").read(rule.access);
  if (rule.major && *rule.major < 0) rule.major.reset();  // -1 is written for "any"
  if (rule.minor && *rule.minor < 0) rule.minor.reset();
  if (rule.access.empty()) rule.access = "rwm";
  if (rule.access.find_first_not_of("rwm") != std::string::npos) return node.at("access").fail("must be made of the letters r, w and m");
  if (!type.empty() && type != "a" && type != "b" && type != "c") return node.at("type").fail("must be a, b or c");
  rule.type = type.empty() ? 'a' : type[0];
  if (rule.type == 'a' && (rule.major || rule.minor)) return node.at("type").fail("must be b or c where major or minor is given");
  rules.push_back(std::move(rule));
}

void read_cpu(const JsonNode& node, Resources& resources) {
  node.at("shares").read(resources.cpu_shares);
  node.at("quota").read(resources.cpu_quota);
  node.at("period").read(resources.cpu_period);
  node.at("burst").read(resources.cpu_burst);
  node.at("idle").read(resources.cpu_idle);
  node.at("realtimeRuntime").read(resources.cpu_rt_runtime);
  node.at("realtimePeriod").read(resources.cpu_rt_period);
  node.at("cpus").read(resources.cpuset_cpus);
  node.at("mems").read(resources.cpuset_mems);
  if (resources.cpu_idle && *resources.cpu_idle != 0 && *resources.cpu_idle != 1) node.at("idle").fail("must be 0 or 1");
}

void read_memory(const JsonNode& node, Resources& resources) {
  node.at("limit").read(resources.memory_limit);
  node.at("reservation").read(resources.memory_reservation);
  node.at("swap").read(resources.memory_swap);
  node.at("kernel").read(resources.memory_kernel);
  node.at("kernelTCP").read(resources.memory_kernel_tcp);
  node.at("swappiness").read(resources.memory_swappiness);
  node.at("disableOOMKiller").read(resources.disable_oom_killer);
  node.at("checkBeforeUpdate").read(resources.memory_check_before_update);
  if (resources.memory_swappiness && *resources.memory_swappiness > 100) node.at("swappiness").fail("must be 0 to 100");
}

void read_weight(const JsonNode& node, std::optional<uint64_t>& weight) {
  node.read(weight);
  if (weight && *weight == 0) weight.reset();  // engines write it for "not asked for"
  if (weight && (*weight < 10 || *weight > 1000)) node.fail("must be 10 to 1000");
}

void read_io(const JsonNode& node, IoLimits& io) {
  read_weight(node.at("weight"), io.weight);
  read_weight(node.at("leafWeight"), io.leaf_weight);
  node.at("weightDevice").each([&](const JsonNode& item) {
    IoWeight& one = io.weights.emplace_back();
    item.at("major").read(one.major);
    item.at("minor").read(one.minor);
    read_weight(item.at("weight"), one.weight);
    read_weight(item.at("leafWeight"), one.leaf_weight);
  });
  for (const auto& [key, kind] : {std::pair{"throttleReadBpsDevice", IoRate::read_bytes}, {"throttleWriteBpsDevice", IoRate::write_bytes}, {"throttleReadIOPSDevice", IoRate::read_operations}, {"throttleWriteIOPSDevice", IoRate::write_operations}})
    node.at(key).each([&](const JsonNode& item) {
      IoRate& one = io.rates.emplace_back();
      one.kind = kind;
      item.at("major").read(one.major);
      item.at("minor").read(one.minor);
      item.at("rate").read(one.rate);
    });
}

bool is_page_size(std::string_view text) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  const std::string_view unit = text.substr(std::min(digits, text.size()));
  return digits > 0 && (unit == "KB" || unit == "MB" || unit == "GB");
}

void read_resources(const JsonNode& node, Resources& resources) {
  read_cpu(node.at("cpu"), resources);
  read_memory(node.at("memory"), resources);
  node.at("pids").at("limit").read(resources.pids_limit);
  node.at("devices").each([&](const JsonNode& item) { read_device_rule(item, resources.devices); });
  read_io(node.at("blockIO"), resources.io);
  node.at("hugepageLimits").each([&](const JsonNode& item) {
    auto& [size, limit] = resources.huge_pages.emplace_back();
    item.at("pageSize").read(size);
    item.at("limit").read(limit);
    if (!is_page_size(size)) item.at("pageSize").fail("must be a size as \"2MB\"");
  });
  node.at("rdma").members([&](const std::string& device, const JsonNode& item) {
    RdmaLimit& limit = resources.rdma[device];
    item.at("hcaHandles").read(limit.handles);
    item.at("hcaObjects").read(limit.objects);
  });
  node.at("network").at("classID").read(resources.network_class);
  node.at("network").at("priorities").each([&](const JsonNode& item) {
    auto& [name, priority] = resources.network_priorities.emplace_back();
    item.at("name").read(name);
    item.at("priority").read(priority);
  });
  node.at("unified").read(resources.unified);
}

}  // namespace

void read_resources(const JsonNode& node, Config& config) { read_resources(node, config.resources); }

Result<Resources> read_resources_text(const std::string& text) {
  JsonNode::Json document;
  try {
    document["resources"] = JsonNode::Json::parse(text);
  } catch (const JsonNode::Json::exception& error) {
    return Error{std::string("the resources are not JSON: ") + error.what()};
  }
  std::optional<Error> problem;
  Resources resources;
  read_resources(JsonNode(document, problem).at("resources"), resources);
  if (problem) return Error{problem->message.substr(problem->message.find("resources")), problem->code};
  return resources;
}

}  // namespace mooring
