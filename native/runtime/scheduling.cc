#include "scheduling.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace mooring {
namespace {

// sched_setattr(2); linux/sched/types.h can't be included beside sched.h.
struct SchedulerAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

constexpr int of_process = 1;  // IOPRIO_WHO_PROCESS

}  // namespace

Status set_scheduling(const Process& process) {
  if (process.scheduler) {
    const Scheduler& wanted = *process.scheduler;
    const SchedulerAttributes attributes{sizeof attributes, wanted.policy, wanted.flags, wanted.nice, wanted.priority, wanted.runtime, wanted.deadline, wanted.period};
    if (syscall(SYS_sched_setattr, 0, &attributes, 0) != 0) return sys_error("process.scheduler: sched_setattr");
  }
  if (process.io_priority && syscall(SYS_ioprio_set, of_process, 0, *process.io_priority) != 0) return sys_error("process.ioPriority: ioprio_set");
  return ok();
}

Status allow_all_cpus() {
  unsigned char every[1024];  // 8192 CPUs, the most that Linux knows of; those that are not there, or not allowed, the kernel leaves out
  std::memset(every, 0xff, sizeof every);
  return syscall(SYS_sched_setaffinity, 0, sizeof every, every) == 0 ? ok() : Status(sys_error("sched_setaffinity to all CPUs"));
}

Status set_cpus(const cpu_set_t& cpus, const char* field) {
  return sched_setaffinity(0, sizeof cpus, &cpus) == 0 ? ok() : Status(sys_error(std::string("process.execCPUAffinity.") + field + ": sched_setaffinity"));
}

}  // namespace mooring
