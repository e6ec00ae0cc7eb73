#include "init_program.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/memfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "channel.h"
#include "stdio_setup.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

// native/init, as it was built.
asm(".pushsection .rodata.init_program, \"a\"\n"
    "mooring_init_begin: .incbin \"" MOORING_INIT "\"\n"
    "mooring_init_end:\n"
    ".popsection\n");
extern "C" const char mooring_init_begin[], mooring_init_end[];

namespace mooring {
namespace {

[[noreturn]] void become_init(const UniqueFd& program, pid_t child, int channel) {
  std::string pid = std::to_string(child);
  char name[] = "init";
  char* const arguments[] = {name, pid.data(), nullptr};
  char* const environment[] = {nullptr};
  // It holds none of the container's streams open, so that they end with the program.
  if (close_range(0, ~0U, CLOSE_RANGE_CLOEXEC) == 0) syscall(SYS_execveat, program.get(), "", arguments, environment, AT_EMPTY_PATH);
  const Error failed = sys_error("run the container's init");
  if (channel >= 0) (void)send_packet(channel, Message::failed, failed.code, failed.message);  // with the caller gone there is nobody to tell
  _exit(255);
}

Status lead_session(bool terminal) {
  if (setsid() < 0) return sys_error("setsid");
  return terminal ? take_terminal() : ok();
}

}  // namespace

Result<UniqueFd> open_init_program() {
  constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd program(memfd_create("mooring-init", flags | MFD_EXEC));
  if (!program && errno == EINVAL) program.reset(memfd_create("mooring-init", flags));  // before Linux 6.3
  if (!program) return sys_error("memfd_create the container's init");
  const auto size = static_cast<std::size_t>(mooring_init_end - mooring_init_begin);
  if (write(program.get(), mooring_init_begin, size) != static_cast<ssize_t>(size)) return sys_error("write the container's init");
  if (fcntl(program.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) return sys_error("seal the container's init");
  return program;
}

Status stay_behind_as_init(const UniqueFd& program, bool terminal, int channel) {
  // Where it is not the first of its pid namespace, orphans come to it only if it asks for them.
  const bool first = getpid() == 1;
  if (!first && prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return sys_error("become the reaper of orphans");
  sigset_t all, before;
  sigfillset(&all);
  // Before the fork: what comes from now on waits for the init.
  if (sigprocmask(SIG_BLOCK, &all, &before) != 0) return sys_error("block signals");
  const pid_t child = fork();
  if (child < 0) return sys_error("fork the program from its init");
  if (child > 0) become_init(program, child, channel);
  if (!first && prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return sys_error("set the parent-death signal");
  if (sigprocmask(SIG_SETMASK, &before, nullptr) != 0) return sys_error("unblock signals");
  return lead_session(terminal);
}

}  // namespace mooring
