#include "config.h"

#include <fcntl.h>

#include "config_parts.h"
#include "files.h"

namespace mooring {
namespace {

constexpr std::size_t largest_config = 8 << 20;

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
  node.at("volatile").read(overlay.without_sync);
  node.at("mapIds").read(overlay.map_ids);
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
  const JsonNode limits = node.at("dev.mooring.limits");
  std::string wants_limits = "best-effort";
  limits.read(wants_limits);
  config.limits_required = wants_limits == "required";
  if (!config.limits_required && wants_limits != "best-effort") limits.fail("must be \"required\" or \"best-effort\"");
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
  config.root.path = absolute_path(config.root.path, bundle);
  root.at("readonly").read(config.root.readonly);

  read_hooks(node.at("hooks"), config.hooks);
  read_annotations(node.at("annotations"), config);
  read_linux(node.at("linux"), config);
  node.at("mounts").each([&](const JsonNode& item) { read_mount(item, bundle, config); });

  node.at("hostname").read(config.hostname);
  node.at("domainname").read(config.domainname);
  if (!config.namespaces.has(CLONE_NEWUTS)) {
    node.at("hostname").refuse_if_present("needs a uts namespace in linux.namespaces, else it would rename the host");
    node.at("domainname").refuse_if_present("needs a uts namespace in linux.namespaces, else it would rename the host");
  }
}

}  // namespace

std::string absolute_path(const std::string& path, const std::string& base) { return path.starts_with('/') ? path : base + "/" + path; }

bool Namespaces::has(int flag) const { return (created & flag) || joined_path(flag); }

const std::string* Namespaces::joined_path(int flag) const {
  for (const JoinedNamespace& one : joined)
    if (one.flag == flag) return &one.path;
  return nullptr;
}

Result<Config> read_config_text(const std::string& text, const std::string& bundle) {
  JsonNode::Json document;
  try {
    document = JsonNode::Json::parse(text);
  } catch (const JsonNode::Json::exception& error) {
    return Error{bundle + "/config.json is not JSON: " + error.what()};
  }
  std::optional<Error> problem;
  Config config;
  read_document(JsonNode(document, problem), bundle, config);
  if (problem) return std::move(*problem);
  return config;
}

Result<Config> read_config(const std::string& bundle) {
  auto text = read_file(AT_FDCWD, bundle + "/config.json", largest_config);
  if (!text) return std::move(text.error());
  return read_config_text(*text, bundle);
}

}  // namespace mooring
