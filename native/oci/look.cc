#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "command.h"
#include "runtime/cgroup_control.h"

namespace mooring::oci {

Result<int> state(const Context& context, const Arguments& arguments) {
  auto container = load_container(context.root, arguments.operands()[0]);
  if (!container) return std::move(container.error());
  std::printf("%s\n", to_json(*container).c_str());
  return 0;
}

Result<int> list(const Context& context, const Arguments& arguments) {
  const std::string format = arguments.value("format", "table");
  if (format != "table" && format != "json") return Error{"--format: \"" + format + "\" must be table or json"};
  nlohmann::json all = nlohmann::json::array();
  for (const std::string& id : list_containers(context.root))
    if (auto container = load_container(context.root, id)) all.push_back(nlohmann::json::parse(to_json(*container)));  // one that is deleted meanwhile is left out
  if (arguments.has("quiet")) {
    for (const auto& one : all) std::printf("%s\n", one["id"].get<std::string>().c_str());
    return 0;
  }
  if (format == "json") {
    std::printf("%s\n", all.dump().c_str());
    return 0;
  }
  std::printf("%-24s %-8s %-9s %-40s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED");
  for (const auto& one : all)
    std::printf("%-24s %-8d %-9s %-40s %s\n", one["id"].get<std::string>().c_str(), one["pid"].get<int>(), one["status"].get<std::string>().c_str(), one["bundle"].get<std::string>().c_str(), one["created"].get<std::string>().c_str());
  return 0;
}

Result<int> ps(const Context& context, const Arguments& arguments) {
  auto container = load_container(context.root, arguments.operands()[0]);
  if (!container) return std::move(container.error());
  const std::string format = arguments.value("format", "table");
  if (format != "table" && format != "json") return Error{"--format: \"" + format + "\" must be table or json"};
  auto pids = processes_in(container->cgroup);
  if (!pids) return std::move(pids.error());
  if (format == "json") {
    std::printf("%s\n", nlohmann::json(*pids).dump().c_str());
    return 0;
  }
  std::string numbers;
  for (const pid_t pid : *pids) numbers += (numbers.empty() ? "" : ",") + std::to_string(pid);
  if (numbers.empty()) return Error{"container \"" + container->id + "\" has no process", ESRCH};
  // The host's ps(1), with the caller's own options if there are any.
  std::vector<const char*> command = {"ps", "-p", numbers.c_str()};
  for (std::size_t i = 1; i < arguments.operands().size(); ++i) command.push_back(arguments.operands()[i].c_str());
  if (command.size() == 3) command.push_back("-f");
  command.push_back(nullptr);
  execvp("ps", const_cast<char* const*>(command.data()));
  return sys_error("run ps");
}

}  // namespace mooring::oci
