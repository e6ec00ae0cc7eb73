#include "command.h"
#include "criu.h"
#include "external.h"
#include "runtime/cgroup_control.h"

namespace mooring::oci {
namespace {

Status dump(const Context& context, const Arguments& arguments, const Container& container) {
  auto config = read_config(container.folder);
  if (!config) return std::move(config.error());
  MOORING_TRY(check_external(*config));
  auto folders = criu_folders(arguments, true);
  if (!folders) return std::move(folders.error());
  CriuCall call{.program = context.criu, .command = arguments.has("pre-dump") ? "pre-dump" : "dump", .folders = std::move(*folders), .words = {"--tree", std::to_string(container.pid)}, .inherited = {}, .prepare = {}};
  if (!arguments.has("manage-cgroups-mode")) call.words.emplace_back("--manage-cgroups=soft");
  // All of its processes stand still at one instant, also those that fork.
  auto freezer = freezer_folder(container.cgroup);
  if (!freezer) return std::move(freezer.error());
  call.words.insert(call.words.end(), {"--freeze-cgroup", *freezer});
  // CRIU holds the network still by iptables-restore unless told otherwise; a host of nftables may have none.
  if (!arguments.has("network-lock") && !has_program("iptables-restore")) call.words.emplace_back("--network-lock=nftables");
  if (arguments.has("pre-dump")) call.words.emplace_back("--track-mem");
  const auto flags = passed_on(arguments);
  call.words.insert(call.words.end(), flags.begin(), flags.end());
  MOORING_TRY(leave_out(container, *config, call));
  return run_criu(call);
}

}  // namespace

Result<int> checkpoint(const Context& context, const Arguments& arguments) {
  auto container = load_container(context.root, arguments.operands()[0]);
  if (!container) return std::move(container.error());
  auto lock = lock_container(*container);
  if (!lock) return std::move(lock.error());
  if (const State now = container->state(true); now != State::running) return Error{"container \"" + container->id + "\" is " + name_of(now) + ", only a running one can be checkpointed", EINVAL};
  MOORING_TRY(dump(context, arguments, *container));
  if (arguments.has("leave-running") || arguments.has("pre-dump")) return 0;
  MOORING_TRY(remove_container(context, *container, true));
  return 0;
}

}  // namespace mooring::oci
