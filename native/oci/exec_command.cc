#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "command.h"
#include "console_socket.h"
#include "foreground.h"
#include "preserved_fds.h"
#include "runtime/cgroup.h"
#include "runtime/exec.h"
#include "runtime/files.h"

namespace mooring::oci {
namespace {

using Json = nlohmann::json;

bool is_id(const std::string& text) { return !text.empty() && text.size() < 11 && text.find_first_not_of("0123456789") == std::string::npos; }

// "uid" or "uid:gid", numbers only: names are the image's, and no runtime's business.
Status apply_user(const std::string& text, Json& user) {
  const std::size_t colon = text.find(':');
  const std::string uid = text.substr(0, colon), gid = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (!is_id(uid) || (colon != std::string::npos && !is_id(gid))) return Error{"--user: \"" + text + "\" must be UID or UID:GID, in numbers"};
  user = {{"uid", std::stoull(uid)}, {"gid", gid.empty() ? 0 : std::stoull(gid)}};
  return ok();
}

// The container's own process, with what the flags change.
Result<std::string> process_of_flags(const Container& container, const Arguments& arguments) {
  auto text = read_file(AT_FDCWD, container.folder + "/config.json", 8 << 20);
  if (!text) return text;
  Json process = Json::parse(*text, nullptr, false)["process"];
  const auto& operands = arguments.operands();
  if (operands.size() < 2) return Error{"exec: a command is needed, or --process"};
  process["args"] = std::vector<std::string>(operands.begin() + 1, operands.end());
  process["terminal"] = arguments.has("tty");
  if (arguments.has("cwd")) process["cwd"] = arguments.value("cwd");
  for (const std::string& variable : arguments.all("env")) process["env"].push_back(variable);
  if (arguments.has("user")) MOORING_TRY(apply_user(arguments.value("user"), process["user"]));
  for (const std::string& gid : arguments.all("additional-gids")) {
    if (!is_id(gid)) return Error{"--additional-gids: \"" + gid + "\" is not a number"};
    process["user"]["additionalGids"].push_back(std::stoull(gid));
  }
  if (arguments.has("no-new-privs")) process["noNewPrivileges"] = true;
  if (arguments.has("apparmor")) process["apparmorProfile"] = arguments.value("apparmor");
  if (arguments.has("process-label")) process["selinuxLabel"] = arguments.value("process-label");
  Json& capabilities = process["capabilities"];
  for (const std::string& name : arguments.all("cap")) {
    for (const char* set : {"bounding", "effective", "permitted"}) capabilities[set].push_back(name);
    // One that is not inheritable can't be ambient.
    if (const auto inheritable = capabilities.find("inheritable"); inheritable != capabilities.end() && std::find(inheritable->begin(), inheritable->end(), name) != inheritable->end()) capabilities["ambient"].push_back(name);
  }
  return process.dump();
}

// "path", or on version 1 "controller,controller:path": of a cgroup below the container's own, "/" for that itself.
Result<std::vector<CgroupBelow>> chosen_cgroups(const Container& container, const Arguments& arguments) {
  std::vector<CgroupBelow> chosen;
  for (const std::string& text : arguments.all("cgroup")) {
    const std::size_t colon = text.find(':');
    std::string path = container.cgroup;
    for (const std::string& part : path_parts(colon == std::string::npos ? text : text.substr(colon + 1))) {
      if (part == "..") return Error{"--cgroup: \"" + text + "\" leads out of the container's cgroup", EINVAL};
      path += "/" + part;
    }
    const std::string controllers = colon == std::string::npos ? "" : text.substr(0, colon);
    for (std::size_t at = 0; at <= controllers.size();) {
      const std::size_t end = std::min(controllers.find(',', at), controllers.size());
      chosen.push_back({controllers.substr(at, end - at), path});
      at = end + 1;
    }
  }
  return chosen;
}

}  // namespace

Result<int> exec(const Context& context, const Arguments& arguments) {
  auto container = load_container(context.root, arguments.operands()[0]);
  if (!container) return std::move(container.error());
  const State now = container->state();
  if (now == State::stopped || now == State::creating) return Error{"cannot exec in a stopped container: \"" + container->id + "\" is not running", ESRCH};
  if (now == State::paused && !arguments.has("ignore-paused")) return Error{"cannot exec in a paused container: resume \"" + container->id + "\" first", EBUSY};
  auto text = arguments.has("process") ? read_file(AT_FDCWD, arguments.value("process"), 8 << 20) : process_of_flags(*container, arguments);
  if (!text) return std::move(text.error());
  Json process = Json::parse(*text, nullptr, false);
  if (process.is_object() && arguments.has("tty")) process["terminal"] = true;
  const bool terminal = process.is_object() && process.value("terminal", false);
  const bool detach = arguments.has("detach"), socket = arguments.has("console-socket");
  if (terminal && detach && !socket) return Error{"exec: a terminal with --detach needs --console-socket"};
  if (!terminal && socket) return Error{"exec: --console-socket needs a terminal"};
  auto preserved = preserved_fds(arguments);
  if (!preserved) return std::move(preserved.error());
  auto cgroups = chosen_cgroups(*container, arguments);
  if (!cgroups) return std::move(cgroups.error());

  if (!detach) hold_signals();
  auto launched = execute({.id = container->id, .pid = container->pid, .process = process.is_object() ? process.dump() : *text, .bundle = container->folder, .stdin_fd = 0, .stdout_fd = 1, .stderr_fd = 2, .preserve_fds = *preserved, .cgroups = std::move(*cgroups)});
  if (!launched) return std::move(launched.error());
  for (const std::string& warning : launched->warnings) context.warn(warning);
  if (socket) MOORING_TRY(send_console(arguments.value("console-socket"), launched->console.get()));
  if (arguments.has("pidfd-socket")) MOORING_TRY(send_pidfd(arguments.value("pidfd-socket"), launched->pidfd.get()));
  if (arguments.has("pid-file")) MOORING_TRY(write_whole(arguments.value("pid-file"), std::to_string(launched->pid)));
  if (detach) return 0;
  return stay_with(launched->pid, socket ? -1 : launched->console.get());
}

}  // namespace mooring::oci
