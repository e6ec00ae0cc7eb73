#include <sys/resource.h>

#include <charconv>
#include <string_view>

#include "capabilities.h"
#include "config_parts.h"
#include "environment.h"

namespace mooring {
namespace {

struct LimitName {
  std::string_view name;
  int resource;
};
constexpr LimitName limit_names[] = {
    {"RLIMIT_AS", RLIMIT_AS},           {"RLIMIT_CORE", RLIMIT_CORE},           {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},       {"RLIMIT_FSIZE", RLIMIT_FSIZE},         {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK}, {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},   {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},   {"RLIMIT_NPROC", RLIMIT_NPROC},         {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},   {"RLIMIT_RTTIME", RLIMIT_RTTIME},       {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
};

void read_capability_set(const JsonNode& list, uint64_t& set, Process& process) {
  list.each([&](const JsonNode& item) {
    std::string name;
    item.read(name);
    const int number = capability_number(name);
    if (number >= 0) set |= uint64_t{1} << number;
    else process.unknown_capabilities.push_back(std::move(name));
  });
}

void read_rlimit(const JsonNode& item, Process& process) {
  Rlimit limit;
  item.at("type").read(limit.name);
  item.at("soft").read(limit.soft);
  item.at("hard").read(limit.hard);
  const LimitName* found = nullptr;
  for (const LimitName& known : limit_names)
    if (known.name == limit.name) found = &known;
  if (!found) return item.at("type").fail("unknown limit \"" + limit.name + "\"");
  if (limit.soft > limit.hard) return item.at("soft").fail("is above the hard limit");
  for (const Rlimit& earlier : process.rlimits)
    if (earlier.name == limit.name) return item.at("type").fail(limit.name + " is set twice");
  limit.resource = found->resource;
  process.rlimits.push_back(std::move(limit));
}

struct Word {
  std::string_view name;
  uint64_t value;
};

// linux/sched.h and linux/sched/types.h, which can't be included beside sched.h.
constexpr Word policies[] = {{"SCHED_OTHER", 0}, {"SCHED_FIFO", 1}, {"SCHED_RR", 2}, {"SCHED_BATCH", 3}, {"SCHED_ISO", 4}, {"SCHED_IDLE", 5}, {"SCHED_DEADLINE", 6}};
constexpr Word policy_flags[] = {{"SCHED_FLAG_RESET_ON_FORK", 1}, {"SCHED_FLAG_RECLAIM", 2},      {"SCHED_FLAG_DL_OVERRUN", 4},    {"SCHED_FLAG_KEEP_POLICY", 8},
                                 {"SCHED_FLAG_KEEP_PARAMS", 16},  {"SCHED_FLAG_UTIL_CLAMP_MIN", 32}, {"SCHED_FLAG_UTIL_CLAMP_MAX", 64}};
// linux/ioprio.h
constexpr Word io_classes[] = {{"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}};
constexpr int io_class_shift = 13;

template <std::size_t count>
uint64_t read_word(const JsonNode& node, const Word (&words)[count], const char* what) {
  std::string text;
  node.read(text);
  for (const Word& word : words)
    if (word.name == text) return word.value;
  node.fail(std::string("unknown ") + what + " \"" + text + "\"");
  return 0;
}

void read_scheduler(const JsonNode& node, Process& process) {
  if (!node.present()) return;
  Scheduler wanted;
  wanted.policy = static_cast<uint32_t>(read_word(node.at("policy"), policies, "policy"));
  node.at("nice").read(wanted.nice);
  node.at("priority").read(wanted.priority);
  node.at("flags").each([&](const JsonNode& item) { wanted.flags |= read_word(item, policy_flags, "flag"); });
  node.at("runtime").read(wanted.runtime);
  node.at("deadline").read(wanted.deadline);
  node.at("period").read(wanted.period);
  process.scheduler = wanted;
}

void read_io_priority(const JsonNode& node, Process& process) {
  if (!node.present()) return;
  const auto kind = static_cast<int>(read_word(node.at("class"), io_classes, "class"));
  int level = 0;
  node.at("priority").read(level);
  if (level < 0 || level > 7) return node.at("priority").fail("must be from 0 (highest) to 7");
  process.io_priority = kind << io_class_shift | level;
}

// "0-3,7"
void read_cpus(const JsonNode& node, std::optional<cpu_set_t>& cpus) {
  std::string text;
  node.read(text);
  if (text.empty()) return;
  CPU_ZERO(&cpus.emplace());
  const auto wrong = [&] { node.fail("\"" + text + "\" is no list of CPUs as \"0-3,7\""); };
  for (const char* at = text.c_str();;) {
    unsigned first = 0, last = 0;
    const char* const end = text.c_str() + text.size();
    auto number = std::from_chars(at, end, first);
    last = first;
    if (number.ec == std::errc() && *number.ptr == '-') number = std::from_chars(number.ptr + 1, end, last);
    if (number.ec != std::errc() || last < first || last >= CPU_SETSIZE) return wrong();
    for (unsigned cpu = first; cpu <= last; ++cpu) CPU_SET(cpu, &*cpus);
    if (!*number.ptr) return;
    if (*number.ptr != ',') return wrong();
    at = number.ptr + 1;
  }
}

}  // namespace

void read_process(const JsonNode& node, Process& process) {
  if (!node.present()) return node.fail("is missing: there is nothing to run");
  node.at("terminal").read(process.terminal);
  node.at("consoleSize").at("height").read(process.rows);
  node.at("consoleSize").at("width").read(process.columns);

  const JsonNode user = node.at("user");
  user.at("uid").read(process.user.uid);
  user.at("gid").read(process.user.gid);
  user.at("umask").read(process.user.umask);
  user.at("additionalGids").read(process.user.additional_gids);
  // setresuid(2) takes it for "as it is", which is root.
  constexpr uint32_t no_id = UINT32_MAX;
  if (process.user.uid == no_id) user.at("uid").fail(std::to_string(no_id) + " is no id");
  if (process.user.gid == no_id) user.at("gid").fail(std::to_string(no_id) + " is no id");

  node.at("args").read(process.args);
  if (process.args.empty()) node.at("args").fail("must name the program to run");
  node.at("env").read(process.env);
  keep_last_values(process.env);
  node.at("cwd").read(process.cwd);
  if (!process.cwd.starts_with('/')) node.at("cwd").fail("must be an absolute path");

  const JsonNode capabilities = node.at("capabilities");
  read_capability_set(capabilities.at("bounding"), process.capabilities.bounding, process);
  read_capability_set(capabilities.at("effective"), process.capabilities.effective, process);
  read_capability_set(capabilities.at("inheritable"), process.capabilities.inheritable, process);
  read_capability_set(capabilities.at("permitted"), process.capabilities.permitted, process);
  read_capability_set(capabilities.at("ambient"), process.capabilities.ambient, process);

  node.at("rlimits").each([&](const JsonNode& item) { read_rlimit(item, process); });
  node.at("noNewPrivileges").read(process.no_new_privileges);
  node.at("oomScoreAdj").read(process.oom_score_adj);

  node.at("apparmorProfile").read(process.apparmor_profile);
  node.at("selinuxLabel").read(process.selinux_label);
  read_scheduler(node.at("scheduler"), process);
  read_io_priority(node.at("ioPriority"), process);
  read_cpus(node.at("execCPUAffinity").at("initial"), process.first_cpus);
  read_cpus(node.at("execCPUAffinity").at("final"), process.last_cpus);
}

Result<Process> read_process_text(const std::string& text) {
  JsonNode::Json document;
  try {
    document["process"] = JsonNode::Json::parse(text);
  } catch (const JsonNode::Json::exception& error) {
    return Error{std::string("process is not JSON: ") + error.what()};
  }
  std::optional<Error> problem;
  Process process;
  read_process(JsonNode(document, problem).at("process"), process);
  if (problem) return Error{problem->message.substr(problem->message.find("process")), problem->code};
  return process;
}

}  // namespace mooring
