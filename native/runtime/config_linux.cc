#include <sched.h>
#include <sys/stat.h>

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
    {"pid", CLONE_NEWPID}, {"mount", CLONE_NEWNS}, {"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS}, {"network", CLONE_NEWNET}, {"cgroup", CLONE_NEWCGROUP},
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
  if (name == "user" || name == "time") return type.fail(name + " namespaces are not supported");
  if (!flag) return type.fail("unknown namespace \"" + name + "\"");
  if (namespaces.has(flag)) return type.fail("the " + name + " namespace is listed twice");
  if (path.empty()) {
    namespaces.created |= flag;
  } else if (flag == CLONE_NEWNS) {
    node.at("path").fail("joining a mount namespace is not supported");
  } else {
    namespaces.joined.push_back({flag, std::move(path)});
  }
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
}

void read_seccomp(const JsonNode& node, std::optional<Seccomp>& out) {
  if (!node.present()) return;
  Seccomp seccomp;
  node.at("defaultAction").read(seccomp.default_action);
  node.at("defaultErrnoRet").read(seccomp.default_errno_ret);
  node.at("architectures").read(seccomp.architectures);
  node.at("flags").read(seccomp.flags);
  node.at("syscalls").each([&](const JsonNode& item) { read_seccomp_rule(item, seccomp); });
  node.at("listenerPath").refuse_if_present("seccomp notification is not supported");
  out = std::move(seccomp);
}

}  // namespace

void read_linux(const JsonNode& node, Config& config) {
  node.at("namespaces").each([&](const JsonNode& item) { read_namespace(item, config.namespaces); });
  if (!config.namespaces.has(CLONE_NEWNS)) node.at("namespaces").fail("must list a mount namespace");
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

  node.at("uidMappings").refuse_if_present("user namespaces are not supported");
  node.at("gidMappings").refuse_if_present("user namespaces are not supported");
  node.at("intelRdt").refuse_if_present("Intel RDT is not supported");
  node.at("personality").refuse_if_present("personalities are not supported");
  node.at("mountLabel").refuse_if_present("SELinux is not supported");
  node.at("timeOffsets").refuse_if_present("time namespaces are not supported");
  node.at("netDevices").refuse_if_present("moving network devices is not supported");
  node.at("memoryPolicy").refuse_if_present("memory policies are not supported");
}

}  // namespace mooring
