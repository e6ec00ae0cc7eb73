#include "capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <iterator>
#include <string>

namespace mooring {
namespace {

// By number, linux/capability.h.
constexpr std::string_view names[] = {
    "CAP_CHOWN",           "CAP_DAC_OVERRIDE",   "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
    "CAP_FSETID",          "CAP_KILL",           "CAP_SETGID",          "CAP_SETUID",
    "CAP_SETPCAP",         "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",       "CAP_NET_RAW",        "CAP_IPC_LOCK",        "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",      "CAP_SYS_RAWIO",      "CAP_SYS_CHROOT",      "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",       "CAP_SYS_ADMIN",      "CAP_SYS_BOOT",        "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",    "CAP_SYS_TIME",       "CAP_SYS_TTY_CONFIG",  "CAP_MKNOD",
    "CAP_LEASE",           "CAP_AUDIT_WRITE",    "CAP_AUDIT_CONTROL",   "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",    "CAP_MAC_ADMIN",      "CAP_SYSLOG",          "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",   "CAP_AUDIT_READ",     "CAP_PERFMON",         "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};
static_assert(std::size(names) == CAP_LAST_CAP + 1);

constexpr uint64_t bit(int capability) { return uint64_t{1} << capability; }

}  // namespace

int capability_number(std::string_view name) {
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability)
    if (names[capability] == name) return capability;
  return -1;
}

std::string_view capability_name(int number) { return names[number]; }

Result<CapabilitySets> grantable(const Process& process, bool required, const Warn& warn) {
  const auto leave_out = [&](const std::string& complaint, int code) {
    if (!required) warn(complaint);
    return required ? Status(Error{complaint, code}) : ok();
  };
  for (const std::string& name : process.unknown_capabilities) MOORING_TRY(leave_out("process.capabilities: unknown capability \"" + name + "\"", EINVAL));
  const CapabilitySets& sets = process.capabilities;
  const uint64_t asked = sets.bounding | sets.effective | sets.inheritable | sets.permitted | sets.ambient;
  uint64_t granted = asked, ambient = sets.ambient;
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if (!(asked & bit(capability))) continue;
    const std::string name(names[capability]);
    if (prctl(PR_CAPBSET_READ, capability) != 1) {
      MOORING_TRY(leave_out("process.capabilities: " + name + " is not in this host's own bounding set, so no container can have it", EPERM));
      granted &= ~bit(capability);
    } else if (sets.ambient & ~(sets.permitted & sets.inheritable) & bit(capability)) {
      MOORING_TRY(leave_out("process.capabilities.ambient: " + name + " is not in permitted and inheritable too", EPERM));
      ambient &= ~bit(capability);
    }
  }
  return CapabilitySets{sets.bounding & granted, sets.effective & granted, sets.inheritable & granted, sets.permitted & granted, ambient & granted};
}

Status limit_bounding_set(const CapabilitySets& sets) {
  // Ends at the running kernel's last capability, which may be beyond the one this was compiled with: those are dropped too.
  for (int capability = 0; capability < 64; ++capability) {
    const int held = prctl(PR_CAPBSET_READ, capability);
    if (held < 0) break;
    const bool wanted = sets.bounding & bit(capability);
    if (held && !wanted && prctl(PR_CAPBSET_DROP, capability) != 0) return sys_error("drop capability " + std::to_string(capability) + " from the bounding set");
  }
  return ok();
}

Status set_capabilities(const CapabilitySets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  for (int half = 0; half < 2; ++half) {
    data[half].effective = static_cast<uint32_t>(sets.effective >> (32 * half));
    data[half].permitted = static_cast<uint32_t>(sets.permitted >> (32 * half));
    data[half].inheritable = static_cast<uint32_t>(sets.inheritable >> (32 * half));
  }
  if (syscall(SYS_capset, &header, data) != 0) return sys_error("capset process.capabilities");
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return sys_error("clear the ambient capabilities");
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if (!(sets.ambient & bit(capability))) continue;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0)
      return sys_error("process.capabilities.ambient: raise " + std::string(names[capability]));
  }
  return ok();
}

}  // namespace mooring
