#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "command.h"
#include "runtime/cgroup_control.h"
#include "runtime/unique_fd.h"

namespace mooring::oci {
namespace {

// What the host's ps(1) prints of these processes, with the caller's own options if there are any, which may choose others as well.
Result<std::string> run_ps(const std::vector<pid_t>& pids, const std::vector<std::string>& operands) {
  std::string numbers;
  for (const pid_t pid : pids) numbers += (numbers.empty() ? "" : ",") + std::to_string(pid);
  std::vector<const char*> command = {"ps"};
  if (!pids.empty()) command.insert(command.end(), {"-p", numbers.c_str()});
  for (std::size_t i = 1; i < operands.size(); ++i) command.push_back(operands[i].c_str());
  if (operands.size() == 1) command.push_back("-f");
  command.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return sys_error("make a pipe");
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return sys_error("fork");
  if (pid == 0) {
    if (dup2(writing.get(), 1) == 1) execvp("ps", const_cast<char* const*>(command.data()));
    dprintf(2, "mooring-runtime: run ps: %s\n", std::strerror(errno));
    _exit(127);
  }
  writing.reset();
  std::string text;
  char buffer[16384];
  for (ssize_t got; (got = read(reading.get(), buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR);)
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  // Status 1 with a title: none of them is there any more.
  return status == 0 || !text.empty() ? Result<std::string>(std::move(text)) : Error{"ps: exit status " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)), ECHILD};
}

// Which word of a line that is; -1: none.
int column_of(std::istringstream line, const std::string& name) {
  std::string word;
  for (int column = 0; line >> word; ++column)
    if (word == name) return column;
  return -1;
}

// The title, and the lines of these processes.
Result<int> print_lines_of(const std::string& listed, const std::vector<pid_t>& pids) {
  std::istringstream lines(listed);
  std::string line;
  std::getline(lines, line);
  const int column = column_of(std::istringstream(line), "PID");
  if (column < 0) return Error{"ps: its output has no column PID, by which the container's processes are told from others"};
  std::printf("%s\n", line.c_str());
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string word;
    for (int i = 0; i <= column; ++i) words >> word;
    if (std::binary_search(pids.begin(), pids.end(), std::atoi(word.c_str()))) std::printf("%s\n", line.c_str());
  }
  return 0;
}

}  // namespace

Result<int> state(const Context& context, const Arguments& arguments) {
  auto container = load_container(context.root, arguments.operands()[0]);
  if (!container) return std::move(container.error());
  std::printf("%s\n", to_json(*container).c_str());
  return 0;
}

Result<int> list(const Context& context, const Arguments& arguments) {
  const std::string format = arguments.value("format", "table");
  if (format != "table" && format != "json") return Error{"--format: \"" + format + "\" must be table or json"};
  using Json = nlohmann::ordered_json;
  Json all = Json::array();
  for (const std::string& id : list_containers(context.root))
    if (auto container = load_container(context.root, id)) all.push_back(Json::parse(to_json(*container)));  // one that is deleted meanwhile is left out
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
  auto listed = run_ps(*pids, arguments.operands());
  if (!listed) return std::move(listed.error());
  return print_lines_of(*listed, *pids);
}

}  // namespace mooring::oci
