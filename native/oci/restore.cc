#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>

#include "command.h"
#include "criu.h"
#include "external.h"
#include "foreground.h"
#include "new_container.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_control.h"
#include "runtime/files.h"
#include "runtime/rootfs.h"

namespace mooring::oci {
namespace {

// CRIU takes the rootfs from its own mount namespace, which is not the host's: of this mount, as of those of any container, the host sees nothing.
Status mount_for_criu(const Root& root) {
  if (unshare(CLONE_NEWNS) != 0) return sys_error("unshare the mount namespace");
  if (mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0) return sys_error("make the mount namespace private");
  auto rootfs = mount_rootfs(root);
  return rootfs ? ok() : Status(std::move(rootfs.error()));
}

// The cgroups stand with their limits before CRIU moves the processes there, and whatever path they had when they were dumped.
void name_cgroups(const std::vector<Hierarchy>& hierarchies, const std::string& path, CriuCall& call) {
  for (const Hierarchy& one : hierarchies) {
    if (one.unified) call.words.insert(call.words.end(), {"--cgroup-root", path});
    for (const std::string& controller : one.controllers)
      if (!one.unified) call.words.insert(call.words.end(), {"--cgroup-root", controller + ":" + path});
  }
}

Status revive(const Context& context, const Arguments& arguments, Container& container) {
  auto config = read_config(container.bundle);
  if (!config) return std::move(config.error());
  MOORING_TRY(check_external(*config));
  if (!config->hooks.create_runtime.empty()) return Error{"hooks.createRuntime, hooks.prestart: a restored container has no step that they could run in", EINVAL};
  auto folders = criu_folders(arguments, false);
  if (!folders) return std::move(folders.error());
  MOORING_TRY(find_cgroup(context, *config, container));
  MOORING_TRY(keep_config(*config, container));
  auto hierarchies = find_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  auto cgroups = prepare_cgroups(*hierarchies, container.cgroup, config->resources);
  if (!cgroups) return std::move(cgroups.error());

  const std::string pid_file = container.folder + "/criu.pid";
  CriuCall call{.program = context.criu,
                .command = "restore",
                .folders = std::move(*folders),
                .words = {"--restore-detached", "--restore-sibling", "--pidfile", pid_file, "--root", config->root.path},
                .inherited = {},
                .prepare = [&root = config->root] { return mount_for_criu(root); }};
  if (!arguments.has("manage-cgroups-mode")) call.words.emplace_back("--manage-cgroups=soft");
  name_cgroups(*hierarchies, container.cgroup, call);
  const auto flags = passed_on(arguments);
  call.words.insert(call.words.end(), flags.begin(), flags.end());
  std::vector<UniqueFd> held;
  MOORING_TRY(put_in(*config, cgroups->placed, call, held));
  MOORING_TRY(run_criu(call));

  auto text = read_file(AT_FDCWD, pid_file);
  if (!text) return std::move(text.error());
  container.pid = std::atoi(text->c_str());
  container.start_time = start_time_of(container.pid);
  if (unlink(pid_file.c_str()) != 0) return sys_error("remove " + pid_file);
  MOORING_TRY(save(container));
  return arguments.has("pid-file") ? write_whole(arguments.value("pid-file"), std::to_string(container.pid)) : ok();
}

}  // namespace

Result<int> restore(const Context& context, const Arguments& arguments) {
  if (context.systemd_cgroup) return Error{"restore: not into a scope of systemd's; give a plain linux.cgroupsPath, without --systemd-cgroup", EINVAL};
  const bool stays = !arguments.has("detach");
  if (stays) hold_signals();
  Container container;
  auto lock = begin_container(context, arguments, container);
  if (!lock) return std::move(lock.error());
  auto revived = revive(context, arguments, container);
  if (!revived) {
    // The first error is the one to tell; what can't be removed after it is told by the next restore of this id.
    if (!container.cgroup.empty()) (void)remove_cgroups(container.cgroup);
    (void)remove_folder(container);
    return std::move(revived.error());
  }
  lock->release();
  if (!stays) return 0;
  auto code = stay_with(container.pid, -1);
  if (code && !arguments.has("keep")) MOORING_TRY(remove_after_run(context, container));
  return code;
}

}  // namespace mooring::oci
