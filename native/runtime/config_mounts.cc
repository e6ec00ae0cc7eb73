#include <sched.h>

#include "config_parts.h"
#include "mount_options.h"

namespace mooring {

namespace {

// Spec: mappings without "idmap" or "ridmap" mean "idmap"; the option without mappings means those of the container's user namespace.
void read_mount_ids(const JsonNode& node, const Config& config, Mount& mount) {
  read_id_maps(node, mount.maps);
  if (!mount.maps.empty() && mount.ids == MountIds::plain) mount.ids = MountIds::mapped;
  if (mount.ids == MountIds::plain) return;
  if (!mount.bind) return node.fail("only a bind mount can be id-mapped");
  if (mount.maps.empty() && !config.namespaces.has(CLONE_NEWUSER)) node.fail("\"idmap\" without uidMappings and gidMappings needs a user namespace in linux.namespaces");
}

}  // namespace

void read_mount(const JsonNode& node, const std::string& bundle, Config& config) {
  Mount mount;
  node.at("destination").read(mount.destination);
  node.at("type").read(mount.type);
  node.at("source").read(mount.source);
  if (mount.destination.empty()) return node.at("destination").fail("is missing");
  // Spec: a relative destination is taken from "/".
  mount.destination = absolute_path(mount.destination, "");
  node.at("options").each([&](const JsonNode& item) {
    std::string option;
    item.read(option);
    apply_mount_option(option, mount);
  });
  if (mount.type == "bind") mount.bind = true;
  if (mount.copy_up && (mount.bind || mount.type != "tmpfs")) return node.at("options").fail("\"tmpcopyup\" means nothing but to a tmpfs");
  if (mount.remount) {
    mount.bind = false;
    if (!mount.data.empty()) return node.at("options").fail("\"" + mount.data.front() + "\": a remount changes the flags of a mount, not its file system");
  } else if (mount.bind) {
    if (mount.source.empty()) return node.at("source").fail("is missing: a bind mount needs one");
    mount.source = absolute_path(mount.source, bundle);
    if (!mount.data.empty()) return node.at("options").fail("\"" + mount.data.front() + "\" means nothing to a bind mount");
  } else if (mount.type.empty()) {
    return node.at("type").fail("is missing");
  }
  read_mount_ids(node, config, mount);
  config.mounts.push_back(std::move(mount));
}

}  // namespace mooring
