#include "security_labels.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "files.h"
#include "procfs.h"

namespace mooring {
namespace {

bool has_apparmor() {
  const auto enabled = read_file(AT_FDCWD, "/sys/module/apparmor/parameters/enabled");
  return enabled && enabled->starts_with('Y');
}

bool has_selinux() {
  struct statfs status;
  return statfs("/sys/fs/selinux", &status) == 0 && status.f_type == SELINUX_MAGIC;
}

Status refuse_selinux(const std::string& field, const std::string& label) { return Error{field + ": this host's kernel does not run SELinux, so the label " + label + " can't be given", ENOTSUP}; }

}  // namespace

Status check_security_labels(const Process& process, const std::string& mount_label) {
  if (!process.apparmor_profile.empty() && !has_apparmor())
    return Error{"process.apparmorProfile: this host's kernel does not run AppArmor, so the profile " + process.apparmor_profile + " can't be given", ENOTSUP};
  if (process.selinux_label.empty() && mount_label.empty()) return ok();
  if (has_selinux()) return ok();
  return process.selinux_label.empty() ? refuse_selinux("linux.mountLabel", mount_label) : refuse_selinux("process.selinuxLabel", process.selinux_label);
}

Result<UniqueFd> open_for_labels(const Process& process) {
  return process.apparmor_profile.empty() && process.selinux_label.empty() ? Result<UniqueFd>(UniqueFd()) : open_procfs();
}

Status set_security_labels(int procfs, const Process& process) {
  if (!process.apparmor_profile.empty()) {
    const std::string wish = "exec " + process.apparmor_profile;
    auto written = write_procfs(procfs, "self/attr/apparmor/exec", wish);
    if (!written && written.error().code == ENOENT && faccessat(procfs, "self/attr/apparmor", F_OK, 0) != 0) written = write_procfs(procfs, "self/attr/exec", wish);  // before Linux 5.8
    if (!written) return Error{"process.apparmorProfile: " + written.error().message + " (is the profile loaded?)", written.error().code};
  }
  if (!process.selinux_label.empty()) {
    auto written = write_procfs(procfs, "self/attr/exec", process.selinux_label);
    if (!written) return Error{"process.selinuxLabel: " + written.error().message, written.error().code};
  }
  return ok();
}

}  // namespace mooring
