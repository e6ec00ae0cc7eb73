#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "files.h"
#include "open_in_root.h"
#include "seccomp_filter.h"
#include "unique_fd.h"

namespace mooring {
namespace {

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

constexpr std::size_t largest_program = 4096 * 8;  // BPF_MAXINSNS

// libseccomp 2.5 goes round in circles over some sets of rules that overlap. The processes that compile live for little else: one that takes so long is ended.
class Deadline {
 public:
  Deadline() { set(longest_compilation); }
  Deadline(const Deadline&) = delete;
  ~Deadline() { set(0); }

 private:
  static void set(time_t seconds) {
    const itimerval timer{{}, {seconds, 0}};
    setitimer(ITIMER_PROF, &timer, nullptr);  // of processor time, so that a busy host makes no difference
  }
};

Error refused(const std::string& field, const std::string& complaint) { return Error{"config.json: linux.seccomp." + field + ": " + complaint}; }

Error failed(const std::string& field, const char* call, int code) {
  return Error{"linux.seccomp" + field + ": " + call + ": " + std::strerror(-code), -code};
}

Result<uint32_t> action_of(const std::string& name, const std::optional<unsigned>& errno_ret, const std::string& field) {
  const unsigned code = errno_ret.value_or(EPERM);
  if (code > 0xffff) return refused(field, "errnoRet is too large");
  if (name == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
  if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(code);
  if (name == "SCMP_ACT_TRACE") return SCMP_ACT_TRACE(code);
  if (name == "SCMP_ACT_LOG") return SCMP_ACT_LOG;
  if (name == "SCMP_ACT_TRAP") return SCMP_ACT_TRAP;
  if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SCMP_ACT_KILL_THREAD;
  if (name == "SCMP_ACT_KILL_PROCESS") return SCMP_ACT_KILL_PROCESS;
  if (name == "SCMP_ACT_NOTIFY") return SCMP_ACT_NOTIFY;
  return refused(field, "unknown action \"" + name + "\"");
}

Result<scmp_arg_cmp> comparison_of(const SeccompArg& arg, const std::string& field) {
  struct Operator {
    const char* name;
    scmp_compare compare;
  };
  constexpr Operator operators[] = {{"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT}, {"SCMP_CMP_LE", SCMP_CMP_LE}, {"SCMP_CMP_EQ", SCMP_CMP_EQ},
                                    {"SCMP_CMP_GE", SCMP_CMP_GE}, {"SCMP_CMP_GT", SCMP_CMP_GT}, {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
  if (arg.index > 5) return refused(field + ".index", "a system call has the arguments 0 to 5");
  for (const Operator& one : operators)
    if (arg.op == one.name) return scmp_arg_cmp{arg.index, one.compare, arg.value, arg.value_two};
  return refused(field + ".op", "unknown comparison \"" + arg.op + "\"");
}

Status add_architectures(const Context& context, const Seccomp& seccomp, std::vector<uint32_t>& architectures) {
  architectures = {seccomp_arch_native()};
  for (std::size_t i = 0; i < seccomp.architectures.size(); ++i) {
    constexpr std::string_view prefix = "SCMP_ARCH_";
    const std::string& name = seccomp.architectures[i];
    const std::string field = "architectures[" + std::to_string(i) + "]";
    std::string lower = name.starts_with(prefix) ? name.substr(prefix.size()) : "";
    for (char& letter : lower) letter = static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter + 32 : letter);
    const uint32_t architecture = seccomp_arch_resolve_name(lower.c_str());
    if (!architecture) return refused(field, "unknown architecture \"" + name + "\"");
    if (const int code = seccomp_arch_add(context.get(), architecture); code < 0 && code != -EEXIST) return failed("." + field, "seccomp_arch_add", code);
    const uint32_t audit = architecture == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : architecture;  // x32 is a bit in x86_64's numbers
    if (std::find(architectures.begin(), architectures.end(), audit) == architectures.end()) architectures.push_back(audit);
  }
  return ok();
}

// Several conditions on one argument are alternatives, one rule each, as in runc; else all must hold.
bool repeats_an_argument(const std::vector<scmp_arg_cmp>& comparisons) {
  unsigned seen = 0;
  for (const scmp_arg_cmp& one : comparisons) {
    if (seen & (1u << one.arg)) return true;
    seen |= 1u << one.arg;
  }
  return false;
}

Status add_call(const Context& context, uint32_t action, int call, const std::vector<scmp_arg_cmp>& comparisons, const std::string& field) {
  int code = 0;
  if (repeats_an_argument(comparisons)) {
    for (const scmp_arg_cmp& one : comparisons)
      if (code == 0) code = seccomp_rule_add_array(context.get(), action, call, 1, &one);
  } else {
    code = seccomp_rule_add_array(context.get(), action, call, static_cast<unsigned>(comparisons.size()), comparisons.data());
  }
  return code == 0 || code == -EEXIST ? ok() : Status(failed("." + field, "seccomp_rule_add", code));
}

Status add_rule(const Context& context, uint32_t default_action, const SeccompRule& rule, const std::string& field) {
  auto action = action_of(rule.action, rule.errno_ret, field + ".action");
  if (!action) return std::move(action.error());
  if (*action == default_action) return ok();  // libseccomp refuses a rule that changes nothing
  std::vector<scmp_arg_cmp> comparisons;
  for (std::size_t i = 0; i < rule.args.size(); ++i) {
    auto comparison = comparison_of(rule.args[i], field + ".args[" + std::to_string(i) + "]");
    if (!comparison) return std::move(comparison.error());
    comparisons.push_back(*comparison);
  }
  for (const std::string& name : rule.names) {
    const int call = seccomp_syscall_resolve_name(name.c_str());
    if (call == __NR_SCMP_ERROR) continue;  // of another kernel or architecture: profiles list them all
    MOORING_TRY(add_call(context, *action, call, comparisons, field));
  }
  return ok();
}

}  // namespace

Result<std::string> compile_seccomp(const Seccomp& seccomp, std::vector<uint32_t>& architectures) {
  auto default_action = action_of(seccomp.default_action, seccomp.default_errno_ret, "defaultAction");
  if (!default_action) return std::move(default_action.error());
  const Deadline deadline;
  const Context context(seccomp_init(*default_action), &seccomp_release);
  if (!context) return Error{"linux.seccomp: seccomp_init failed", EINVAL};
  MOORING_TRY(add_architectures(context, seccomp, architectures));
  for (std::size_t i = 0; i < seccomp.rules.size(); ++i) MOORING_TRY(add_rule(context, *default_action, seccomp.rules[i], "syscalls[" + std::to_string(i) + "]"));
  const UniqueFd file(memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) return sys_error("memfd_create");
  if (const int code = seccomp_export_bpf(context.get(), file.get()); code < 0) return failed("", "seccomp_export_bpf", code);
  return read_file(AT_FDCWD, fd_path(file.get()), largest_program);
}

}  // namespace mooring
