#include "config.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <string_view>

#include "capabilities.h"
#include "config_parts.h"
#include "files.h"
#include "mount_options.h"
#include "unique_fd.h"

namespace mooring {
namespace {

constexpr std::size_t largest_config = 8 << 20;

struct LimitName {
  std::string_view name;
  int resource;
};
constexpr LimitName limit_names[] = {
    {"RLIMIT_AS", RLIMIT_AS},           {"RLIMIT_CORE", RLIMIT_CORE},           {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},       {"RLIMIT_FSIZE", RLIMIT_FSIZE},         {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK}, {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},   {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},   {"RLIMIT_NPROC", RLIMIT_NPROC},         {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},   {"RLIMIT_RTTIME", RLIMIT_RTTIME},       {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
};

std::string absolute(const std::string& path, const std::string& base) { return path.starts_with('/') ? path : base + "/" + path; }

void read_capability_set(const JsonNode& list, uint64_t& set) {
  list.each([&](const JsonNode& item) {
    std::string name;
    item.read(name);
    const int number = capability_number(name);
    if (number < 0) return item.fail("unknown capability \"" + name + "\"");
    set |= uint64_t{1} << number;
  });
}

void read_rlimit(const JsonNode& item, Process& process) {
  Rlimit limit;
  item.at("type").read(limit.name);
  item.at("soft").read(limit.soft);
  item.at("hard").read(limit.hard);
  const LimitName* found = nullptr;
  for (const LimitName& known : limit_names)
    if (known.name == limit.name) found = &known;
  if (!found) return item.at("type").fail("unknown limit \"" + limit.name + "\"");
  if (limit.soft > limit.hard) return item.at("soft").fail("is above the hard limit");
  for (const Rlimit& earlier : process.rlimits)
    if (earlier.name == limit.name) return item.at("type").fail(limit.name + " is set twice");
  limit.resource = found->resource;
  process.rlimits.push_back(std::move(limit));
}

void read_process(const JsonNode& node, Process& process) {
  if (!node.present()) return node.fail("is missing: there is nothing to run");
  node.at("terminal").read(process.terminal);
  node.at("consoleSize").at("height").read(process.rows);
  node.at("consoleSize").at("width").read(process.columns);

  const JsonNode user = node.at("user");
  user.at("uid").read(process.user.uid);
  user.at("gid").read(process.user.gid);
  user.at("umask").read(process.user.umask);
  user.at("additionalGids").read(process.user.additional_gids);

  node.at("args").read(process.args);
  if (process.args.empty()) node.at("args").fail("must name the program to run");
  node.at("env").read(process.env);
  node.at("cwd").read(process.cwd);
  if (!process.cwd.starts_with('/')) node.at("cwd").fail("must be an absolute path");

  const JsonNode capabilities = node.at("capabilities");
  read_capability_set(capabilities.at("bounding"), process.capabilities.bounding);
  read_capability_set(capabilities.at("effective"), process.capabilities.effective);
  read_capability_set(capabilities.at("inheritable"), process.capabilities.inheritable);
  read_capability_set(capabilities.at("permitted"), process.capabilities.permitted);
  read_capability_set(capabilities.at("ambient"), process.capabilities.ambient);

  node.at("rlimits").each([&](const JsonNode& item) { read_rlimit(item, process); });
  node.at("noNewPrivileges").read(process.no_new_privileges);
  node.at("oomScoreAdj").read(process.oom_score_adj);

  node.at("apparmorProfile").refuse_if_present("AppArmor is not supported");
  node.at("selinuxLabel").refuse_if_present("SELinux is not supported");
  node.at("scheduler").refuse_if_present("scheduling policies are not supported");
  node.at("ioPriority").refuse_if_present("I/O priorities are not supported");
  node.at("execCPUAffinity").refuse_if_present("CPU affinity is not supported; use linux.resources.cpu.cpus");
}

void read_mount(const JsonNode& node, const std::string& bundle, Config& config) {
  Mount mount;
  node.at("destination").read(mount.destination);
  node.at("type").read(mount.type);
  node.at("source").read(mount.source);
  if (mount.destination.empty()) return node.at("destination").fail("is missing");
  // Spec: a relative destination is taken from "/".
  mount.destination = absolute(mount.destination, "");
  node.at("options").each([&](const JsonNode& item) {
    std::string option;
    item.read(option);
    if (!apply_mount_option(option, mount)) item.fail("the mount option \"" + option + "\" is not supported");
  });
  if (mount.type == "bind") mount.bind = true;
  if (mount.bind) {
    if (mount.source.empty()) return node.at("source").fail("is missing: a bind mount needs one");
    mount.source = absolute(mount.source, bundle);
    if (!mount.data.empty()) return node.at("options").fail("\"" + mount.data.front() + "\" means nothing to a bind mount");
  } else if (mount.type.empty()) {
    return node.at("type").fail("is missing");
  }
  node.at("uidMappings").refuse_if_present("id-mapped mounts are not supported");
  node.at("gidMappings").refuse_if_present("id-mapped mounts are not supported");
  config.mounts.push_back(std::move(mount));
}

void read_overlay(const JsonNode& annotation, Config& config) {
  std::string text;
  annotation.read(text);
  const auto document = JsonNode::Json::parse(text, nullptr, false);
  std::optional<Error> problem;
  const JsonNode node(document, problem);
  Overlay overlay;
  node.at("lower").read(overlay.lower);
  node.at("upper").read(overlay.upper);
  node.at("work").read(overlay.work);
  bool absolute_paths = !overlay.lower.empty() && overlay.upper.starts_with('/') && overlay.work.starts_with('/');
  for (const std::string& layer : overlay.lower) absolute_paths = absolute_paths && layer.starts_with('/');
  if (problem || !absolute_paths) return annotation.fail("must be JSON as {\"lower\":[\"/top\",…],\"upper\":\"/…\",\"work\":\"/…\"} with absolute paths");
  config.root.overlay = std::move(overlay);
}

void read_hook_list(const JsonNode& list, std::vector<Hook>& hooks) {
  list.each([&](const JsonNode& item) {
    Hook& hook = hooks.emplace_back();
    item.at("path").read(hook.path);
    item.at("args").read(hook.args);
    item.at("env").read(hook.env);
    item.at("timeout").read(hook.timeout);
    if (!hook.path.starts_with('/')) item.at("path").fail("must be an absolute path");
    if (item.at("timeout").present() && hook.timeout <= 0) item.at("timeout").fail("must be above zero");
    if (hook.args.empty()) hook.args = {hook.path};
  });
}

void read_hooks(const JsonNode& node, Hooks& hooks) {
  read_hook_list(node.at("prestart"), hooks.create_runtime);
  read_hook_list(node.at("createRuntime"), hooks.create_runtime);
  read_hook_list(node.at("createContainer"), hooks.create_container);
  read_hook_list(node.at("startContainer"), hooks.start_container);
  read_hook_list(node.at("poststart"), hooks.poststart);
  read_hook_list(node.at("poststop"), hooks.poststop);
}

void read_annotations(const JsonNode& node, Config& config) {
  node.read(config.annotations);
  if (const JsonNode overlay = node.at("dev.mooring.rootfs.overlay"); overlay.present()) read_overlay(overlay, config);
  const JsonNode init = node.at("dev.mooring.init");
  std::string wants_init = "false";
  init.read(wants_init);
  config.init = wants_init == "true";
  if (!config.init && wants_init != "false") init.fail("must be \"true\" or \"false\"");
  const JsonNode cache = node.at("dev.mooring.seccomp.cache");
  cache.read(config.seccomp_cache);
  if (!config.seccomp_cache.empty() && !config.seccomp_cache.starts_with('/')) cache.fail("must be an absolute path");
}

void read_document(const JsonNode& node, const std::string& bundle, Config& config) {
  const JsonNode version = node.at("ociVersion");
  std::string text;
  version.read(text);
  if (!text.starts_with("1.")) version.fail("must be a version 1.x of the runtime specification");

  read_process(node.at("process"), config.process);

  const JsonNode root = node.at("root");
  root.at("path").read(config.root.path);
  if (config.root.path.empty()) root.at("path").fail("is missing");
  config.root.path = absolute(config.root.path, bundle);
  root.at("readonly").read(config.root.readonly);

  node.at("mounts").each([&](const JsonNode& item) { read_mount(item, bundle, config); });
  read_hooks(node.at("hooks"), config.hooks);
  read_annotations(node.at("annotations"), config);
  read_linux(node.at("linux"), config);

  node.at("hostname").read(config.hostname);
  node.at("domainname").read(config.domainname);
  if (!config.namespaces.has(CLONE_NEWUTS)) {
    node.at("hostname").refuse_if_present("needs a uts namespace in linux.namespaces, else it would rename the host");
    node.at("domainname").refuse_if_present("needs a uts namespace in linux.namespaces, else it would rename the host");
  }
}

}  // namespace

bool Namespaces::has(int flag) const {
  if (created & flag) return true;
  for (const JoinedNamespace& one : joined)
    if (one.flag == flag) return true;
  return false;
}

Result<Process> read_process_text(const std::string& text) {
  JsonNode::Json document;
  try {
    document["process"] = JsonNode::Json::parse(text);
  } catch (const JsonNode::Json::parse_error& error) {
    return Error{std::string("process is not JSON: ") + error.what()};
  }
  std::optional<Error> problem;
  Process process;
  read_process(JsonNode(document, problem).at("process"), process);
  if (problem) return Error{problem->message.substr(problem->message.find("process")), problem->code};
  return process;
}

Result<Config> read_config(const std::string& bundle) {
  const std::string path = bundle + "/config.json";
  auto text = read_file(AT_FDCWD, path, largest_config);
  if (!text) return std::move(text.error());
  JsonNode::Json document;
  try {
    document = JsonNode::Json::parse(*text);
  } catch (const JsonNode::Json::parse_error& error) {
    return Error{path + " is not JSON: " + error.what()};
  }
  std::optional<Error> problem;
  Config config;
  read_document(JsonNode(document, problem), bundle, config);
  if (problem) return std::move(*problem);
  return config;
}

}  // namespace mooring
