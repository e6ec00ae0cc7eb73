#include "new_container.h"

#include <fcntl.h>

#include <ctime>
#include <filesystem>

#include "runtime/cgroup.h"
#include "runtime/cgroup_systemd.h"
#include "runtime/files.h"

namespace mooring::oci {
namespace {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace

Result<ContainerLock> begin_container(const Context& context, const Arguments& arguments, Container& container) {
  container.id = arguments.operands()[0];
  MOORING_TRY(check_id(container.id));
  container.folder = context.root + "/" + container.id;
  container.bundle = std::filesystem::absolute(arguments.value("bundle", ".")).lexically_normal();
  while (container.bundle.size() > 1 && container.bundle.ends_with('/')) container.bundle.pop_back();
  container.created = utc_now();
  return make_folder(container);
}

Status find_cgroup(const Context& context, const Config& config, Container& container) {
  if (!context.systemd_cgroup) {
    container.cgroup = cgroup_path_of(config, container.id);
    return container.cgroup.find(':') == std::string::npos ? ok() : Status(Error{"linux.cgroupsPath: \"" + config.cgroups_path + "\" is a place of systemd's; give a path, or --systemd-cgroup"});
  }
  auto scope = systemd_scope(config, container.id);
  if (!scope) return std::move(scope.error());
  container.cgroup = scope->cgroup;
  container.scope = scope->unit;
  return ok();
}

Status keep_config(const Config& config, Container& container) {
  container.rootfs = config.root.path;
  container.annotations = config.annotations;
  auto text = read_file(AT_FDCWD, container.bundle + "/config.json", 8 << 20);
  if (!text) return std::move(text.error());
  MOORING_TRY(write_whole(container.folder + "/config.json", *text));
  return save(container);
}

}  // namespace mooring::oci
