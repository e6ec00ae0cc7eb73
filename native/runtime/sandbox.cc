#include "sandbox.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "birth.h"
#include "builder.h"
#include "channel.h"
#include "guard.h"
#include "init.h"
#include "namespaces.h"

namespace mooring {
namespace {

constexpr const char* what = "the container's first process";
constexpr int own_namespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET;

struct Ground {
  std::vector<Hierarchy> hierarchies;
  Cgroups cgroups;
  int channel = -1;
};

/// What the process is to become, and its 0, 1 and 2.
struct Order {
  LaunchOptions options;
  std::array<UniqueFd, 3> stdio;
};

Status send_order(int channel, const LaunchOptions& options) {
  const int stdio[] = {options.stdin_fd, options.stdout_fd, options.stderr_fd};
  for (int target = 0; target < 3; ++target)
    if (stdio[target] >= 0) MOORING_TRY(send_packet(channel, Message::stream, target, {}, stdio[target]));
  return send_packet(channel, Message::order, options.dies_with_caller, options.id + '\n' + options.bundle);
}

/// Error with code 0 when it is not wanted any more.
Result<Order> receive_order(int channel) {
  Order order;
  for (;;) {
    auto packet = receive_packet(channel);
    if (!packet) return std::move(packet.error());
    if (packet->kind == Message::stream && packet->number >= 0 && packet->number < 3) {
      order.stdio[static_cast<std::size_t>(packet->number)] = std::move(packet->fd);
      continue;
    }
    const std::size_t line = packet->text.find('\n');
    if (packet->kind != Message::order || line == std::string::npos) return Error{"hear what to run: torn packet", EPROTO};
    order.options = {
        .id = packet->text.substr(0, line),
        .bundle = packet->text.substr(line + 1),
        .stdin_fd = order.stdio[0].get(),
        .stdout_fd = order.stdio[1].get(),
        .stderr_fd = order.stdio[2].get(),
        .dies_with_caller = packet->number != 0,
    };
    return order;
  }
}

Status check_fit(const Config& config) {
  int wanted = config.namespaces.created;
  for (const JoinedNamespace& one : config.namespaces.joined) {
    if (one.flag != CLONE_NEWNET) return Error{"linux.namespaces: " + one.path + " can't be joined from a sandbox", EINVAL};
    wanted |= CLONE_NEWNET;
  }
  if (wanted != (own_namespaces | CLONE_NEWCGROUP)) return Error{"linux.namespaces: not those of a sandbox", EINVAL};
  if (!config.hooks.create_runtime.empty()) return Error{"hooks.createRuntime: not from a sandbox", EINVAL};
  return ok();
}

Status furnish_plan(InitPlan& plan, Ground& ground, const LaunchOptions& options) {
  MOORING_TRY(read_plan(plan, options.bundle));
  MOORING_TRY(check_fit(plan.config));
  for (const PlacedCgroup& placed : ground.cgroups.placed)
    if (!placed.folder.ends_with(cgroup_path_of(plan.config, options.id))) return Error{"linux.cgroupsPath: the sandbox is in " + placed.folder, EINVAL};
  MOORING_TRY(limit_cgroups(ground.hierarchies, ground.cgroups, plan.config.resources));
  plan.cgroups = std::move(ground.cgroups);
  MOORING_TRY(gather(plan, options));
  return join_namespaces(plan.config.namespaces);
}

[[noreturn]] void stand_by(Ground& ground) {
  // Until it is told what to run it goes with whoever would tell it.
  Status stands = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 ? enter_ground(ground.cgroups) : Status(sys_error("prctl PR_SET_PDEATHSIG"));
  if (stands) stands = send_packet(ground.channel, Message::standing);
  if (!stands) {
    (void)send_packet(ground.channel, Message::failed, stands.error().code, stands.error().message);  // with the caller gone there is nobody to tell
    _exit(1);
  }
  auto order = receive_order(ground.channel);
  if (!order && order.error().code == 0) _exit(0);
  InitPlan plan;
  plan.channel = ground.channel;
  plan.on_ground = true;
  Status planned = order ? furnish_plan(plan, ground, order->options) : Status(order.error());
  if (planned) run_init(plan, order->options);
  (void)send_packet(ground.channel, Message::failed, planned.error().code, planned.error().message);
  _exit(1);
}

Status prepare_ground(Ground& ground, const std::string& cgroup_path) {
  MOORING_TRY(guard_helper());
  auto hierarchies = find_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  auto cgroups = prepare_cgroups(*hierarchies, cgroup_path, {});
  if (!cgroups) return std::move(cgroups.error());
  ground.hierarchies = std::move(*hierarchies);
  ground.cgroups = std::move(*cgroups);
  return ok();
}

Status bear(Ground& ground) {
  UniqueFd pidfd;
  const auto pid = clone_process(own_namespaces, ground.cgroups, pidfd);
  if (!pid) return pid.error();
  if (*pid == 0) stand_by(ground);
  return tell_started(ground.channel, *pid, pidfd, ground.cgroups);
}

[[noreturn]] void run_preparer(int channel, const std::string& cgroup_path) {
  Ground ground;
  ground.channel = fcntl(channel, F_DUPFD_CLOEXEC, 3);  // off 0, 1 and 2, should the caller have none of these
  if (ground.channel < 0) _exit(1);
  close(channel);
  Status done = prepare_ground(ground, cgroup_path);
  if (done) done = bear(ground);
  if (!done) (void)send_packet(ground.channel, Message::failed, done.error().code, done.error().message);
  _exit(done ? 0 : 1);
}

}  // namespace

Result<Sandbox> prepare_sandbox(const std::string& cgroup_path) {
  return prepare_by([&](int channel) { run_preparer(channel, cgroup_path); }, what);
}

Result<Launched> launch_in(Sandbox sandbox, const LaunchOptions& options) {
  const Status sent = send_order(sandbox.channel.get(), options);
  return conclude(std::move(sandbox), sent, what);
}

void discard_sandbox(Sandbox sandbox, const std::string& cgroup_path) {
  end_unwanted(std::move(sandbox));
  if (const auto hierarchies = find_hierarchies()) remove_cgroups(*hierarchies, cgroup_path);
}

}  // namespace mooring
