#include <sched.h>
#include <sys/personality.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>

#include "config_parts.h"
#include "mount_options.h"

namespace mooring {
namespace {

struct NamespaceName {
  std::string_view name;
  int flag;
};
constexpr NamespaceName namespace_names[] = {
    {"pid", CLONE_NEWPID},         {"mount", CLONE_NEWNS},        {"ipc", CLONE_NEWIPC},   {"uts", CLONE_NEWUTS},
    {"network", CLONE_NEWNET}, {"cgroup", CLONE_NEWCGROUP}, {"user", CLONE_NEWUSER}, {"time", CLONE_NEWTIME},
};

void read_namespace(const JsonNode& node, Namespaces& namespaces) {
  std::string name;
  std::string path;
  node.at("type").read(name);
  node.at("path").read(path);
  int flag = 0;
  for (const NamespaceName& known : namespace_names)
    if (known.name == name) flag = known.flag;
  const JsonNode type = node.at("type");
  if (!flag) return type.fail("unknown namespace \"" + name + "\"");
  if (namespaces.has(flag)) return type.fail("the " + name + " namespace is listed twice");
  if (path.empty()) {
    namespaces.created |= flag;
  } else if (!path.starts_with('/')) {
    node.at("path").fail("must be an absolute path");
  } else {
    namespaces.joined.push_back({flag, std::move(path)});
  }
}

void read_id_map(const JsonNode& list, IdMap& map) {
  list.each([&](const JsonNode& item) {
    IdRange& range = map.ranges.emplace_back();
    item.at("containerID").read(range.inside);
    item.at("hostID").read(range.outside);
    item.at("size").read(range.size);
    if (range.size == 0) item.at("size").fail("must be above zero");
    if (uint64_t{range.inside} + range.size > uint64_t{1} << 32 || uint64_t{range.outside} + range.size > uint64_t{1} << 32) item.at("size").fail("leads beyond the last id");
  });
}

void read_time_offset(const std::string& clock, const JsonNode& node, Config& config) {
  TimeOffset& offset = config.time_offsets.emplace_back();
  offset.clock = clock;
  node.at("secs").read(offset.seconds);
  node.at("nanosecs").read(offset.nanoseconds);
  if (clock != "monotonic" && clock != "boottime") node.fail("must be \"monotonic\" or \"boottime\"; no other clock has an offset");
  if (offset.nanoseconds > 999'999'999) node.at("nanosecs").fail("must be below one second");
}

void read_user_namespace(const JsonNode& node, Config& config) {
  read_id_maps(node, config.id_maps);
  const Namespaces& namespaces = config.namespaces;
  const JsonNode uids = node.at("uidMappings");
  if (!config.id_maps.empty() && !namespaces.has(CLONE_NEWUSER)) return uids.fail("needs a user namespace in linux.namespaces");
  if (!(namespaces.created & CLONE_NEWUSER)) return;
  if (config.id_maps.empty()) return uids.fail("is missing: a new user namespace needs uidMappings and gidMappings");
  // Its root sets the container up.
  if (!config.id_maps.uids.outside(0)) return uids.fail("must map the container's user 0");
  if (!config.id_maps.gids.outside(0)) return node.at("gidMappings").fail("must map the container's group 0");
}

void read_device(const JsonNode& node, std::vector<Device>& devices) {
  Device device;
  std::string type;
  node.at("type").read(type);
  node.at("path").read(device.path);
  node.at("major").read(device.major);
  node.at("minor").read(device.minor);
  node.at("fileMode").read(device.mode);
  node.at("uid").read(device.uid);
  node.at("gid").read(device.gid);
  device.mode &= 07777;
  if (!device.path.starts_with('/')) return node.at("path").fail("must be an absolute path");
  if (type == "c" || type == "u") device.type = S_IFCHR;
  else if (type == "b") device.type = S_IFBLK;
  else if (type == "p") device.type = S_IFIFO;
  else return node.at("type").fail("must be c, u, b or p");
  devices.push_back(std::move(device));
}

void read_personality(const JsonNode& node, Config& config) {
  if (!node.present()) return;
  std::string domain;
  node.at("domain").read(domain);
  if (domain == "LINUX") config.personality = PER_LINUX;
  else if (domain == "LINUX32") config.personality = PER_LINUX32;
  else return node.at("domain").fail("must be LINUX or LINUX32");
  node.at("flags").refuse_if_present("the specification knows no flags yet");
}

constexpr std::string_view notify_action = "SCMP_ACT_NOTIFY";

void read_seccomp_rule(const JsonNode& node, Seccomp& seccomp) {
  SeccompRule& rule = seccomp.rules.emplace_back();
  node.at("names").read(rule.names);
  node.at("action").read(rule.action);
  node.at("errnoRet").read(rule.errno_ret);
  node.at("args").each([&](const JsonNode& item) {
    SeccompArg& arg = rule.args.emplace_back();
    item.at("index").read(arg.index);
    item.at("value").read(arg.value);
    item.at("valueTwo").read(arg.value_two);
    item.at("op").read(arg.op);
  });
  if (rule.names.empty()) node.at("names").fail("must name a system call");
  // The listener is handed over by it.
  if (rule.action == notify_action && std::find(rule.names.begin(), rule.names.end(), "write") != rule.names.end()) node.at("names").fail("\"write\" can't be asked about (SCMP_ACT_NOTIFY): the runtime needs it itself");
}

void read_seccomp(const JsonNode& node, std::optional<Seccomp>& out) {
  if (!node.present()) return;
  Seccomp seccomp;
  node.at("defaultAction").read(seccomp.default_action);
  if (seccomp.default_action == notify_action) node.at("defaultAction").fail("SCMP_ACT_NOTIFY is for single system calls: the runtime needs some itself");
  node.at("defaultErrnoRet").read(seccomp.default_errno_ret);
  node.at("architectures").read(seccomp.architectures);
  node.at("flags").read(seccomp.flags);
  node.at("syscalls").each([&](const JsonNode& item) { read_seccomp_rule(item, seccomp); });
  node.at("listenerPath").read(seccomp.listener_path);
  node.at("listenerMetadata").read(seccomp.listener_metadata);
  if (!seccomp.listener_metadata.empty() && seccomp.listener_path.empty()) node.at("listenerMetadata").fail("needs listenerPath");
  if (!seccomp.listener_path.empty() && !seccomp.listener_path.starts_with('/')) node.at("listenerPath").fail("must be an absolute path");
  if (seccomp.notifies() && seccomp.listener_path.empty()) node.at("listenerPath").fail("is missing: SCMP_ACT_NOTIFY needs somebody to ask");
  out = std::move(seccomp);
}

}  // namespace

bool Seccomp::notifies() const {
  return std::any_of(rules.begin(), rules.end(), [](const SeccompRule& rule) { return rule.action == notify_action; });
}

void read_id_maps(const JsonNode& node, IdMaps& maps) {
  read_id_map(node.at("uidMappings"), maps.uids);
  read_id_map(node.at("gidMappings"), maps.gids);
  if (maps.uids.ranges.empty() != maps.gids.ranges.empty()) node.at(maps.uids.ranges.empty() ? "uidMappings" : "gidMappings").fail("is missing: uids and gids are mapped together");
}

void read_linux(const JsonNode& node, Config& config) {
  node.at("namespaces").each([&](const JsonNode& item) { read_namespace(item, config.namespaces); });
  if (!config.namespaces.has(CLONE_NEWNS)) node.at("namespaces").fail("must list a mount namespace");
  read_user_namespace(node, config);
  node.at("timeOffsets").members([&](const std::string& clock, const JsonNode& item) { read_time_offset(clock, item, config); });
  if (!config.time_offsets.empty() && !(config.namespaces.created & CLONE_NEWTIME)) node.at("timeOffsets").fail("needs a new time namespace in linux.namespaces");
  node.at("devices").each([&](const JsonNode& item) { read_device(item, config.devices); });

  node.at("cgroupsPath").read(config.cgroups_path);
  if (("/" + config.cgroups_path + "/").find("/../") != std::string::npos) node.at("cgroupsPath").fail("must not hold \"..\"");
  read_resources(node.at("resources"), config);

  node.at("maskedPaths").read(config.masked_paths);
  node.at("readonlyPaths").read(config.readonly_paths);
  node.at("sysctl").read(config.sysctl);
  read_seccomp(node.at("seccomp"), config.seccomp);

  const JsonNode propagation = node.at("rootfsPropagation");
  std::string word;
  propagation.read(word);
  config.rootfs_propagation = propagation_flag(word);
  if (!word.empty() && !config.rootfs_propagation) propagation.fail("unknown propagation \"" + word + "\"");

  node.at("mountLabel").read(config.mount_label);
  read_personality(node.at("personality"), config);
  node.at("intelRdt").refuse_if_present("this runtime does not set up Intel RDT (resctrl); leave cache and memory bandwidth unlimited");
  node.at("netDevices").refuse_if_present("moving network devices is not supported");
  node.at("memoryPolicy").refuse_if_present("memory policies are not supported");
}

}  // namespace mooring
