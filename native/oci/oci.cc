#include "oci.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <iterator>
#include <nlohmann/json.hpp>

#include "command.h"
#include "monitor/version.h"
#include "runtime/self_exe.h"
#include "runtime/unique_fd.h"

namespace mooring::oci {

const char* const kUsage =
    "OCI commands:\n"
    "  create ID   make a container of a bundle, up to its start     start ID    run its program\n"
    "  run ID      both                                              exec ID     run one more program in it\n"
    "  state ID    print its state                                   list, ps    print containers, processes\n"
    "  kill ID     send a signal                                     delete ID   remove a stopped container\n"
    "  pause ID, resume ID, update ID, events ID, spec, features\n"
    "  checkpoint ID  write its processes to files, by CRIU          restore ID  make a container of these\n"
    "options before the command: --root DIR  --log FILE  --log-format text|json  --debug  --version\n";

namespace {

constexpr Flag global_flags[] = {{"root"}, {"log"}, {"log-format"}, {"debug", 0, false}, {"version", 'v', false}, {"help", 'h', false}, {"rootless"}, {"criu"},
                                 {"systemd-cgroup", 0, false},
                                 {"cgroup-manager"}};

constexpr const char* pivot = "the runtime always pivots; a container without it can leave its root";
constexpr Flag create_flags[] = {{"bundle", 'b'}, {"pid-file"}, {"console-socket"}, {"pidfd-socket"}, {"preserve-fds"}, {"no-pivot", 0, false, pivot}, {"no-new-keyring", 0, false}};
constexpr Flag run_flags[] = {{"bundle", 'b'}, {"pid-file"}, {"console-socket"}, {"pidfd-socket"}, {"preserve-fds"}, {"no-pivot", 0, false, pivot}, {"no-new-keyring", 0, false}, {"detach", 'd', false}, {"keep", 0, false},
                              {"no-subreaper", 0, false}};
constexpr Flag exec_flags[] = {{"console-socket"}, {"pidfd-socket"}, {"cwd"}, {"env", 'e'}, {"tty", 't', false}, {"user", 'u'}, {"additional-gids", 'g'}, {"process", 'p'}, {"detach", 'd', false}, {"pid-file"},
                               {"no-new-privs", 0, false}, {"cap", 'c'}, {"preserve-fds"}, {"ignore-paused", 0, false},
                               {"process-label"}, {"apparmor"}, {"cgroup"}};
constexpr Flag kill_flags[] = {{"all", 'a', false}};
constexpr Flag delete_flags[] = {{"force", 'f', false}};
constexpr Flag list_flags[] = {{"format", 'f'}, {"quiet", 'q', false}};
constexpr Flag ps_flags[] = {{"format", 'f'}};
constexpr Flag spec_flags[] = {{"bundle", 'b'}, {"rootless", 0, false, "containers are made by the host's root; linux.namespaces may ask for a user namespace"}};
constexpr const char* no_kernel_memory = "the kernel has no limit of its own for kernel memory any more; --memory counts it in";
constexpr const char* no_rdt = "Intel RDT is not supported";
constexpr Flag update_flags[] = {{"resources", 'r'}, {"memory"}, {"memory-swap"}, {"memory-reservation"}, {"memory-swappiness"}, {"cpu-share"}, {"cpu-shares"}, {"cpu-quota"}, {"cpu-period"}, {"cpu-burst"}, {"cpu-idle"},
                                 {"cpu-rt-period"}, {"cpu-rt-runtime"}, {"cpuset-cpus"}, {"cpuset-mems"}, {"pids-limit"}, {"blkio-weight"},
                                 {"kernel-memory", 0, true, no_kernel_memory}, {"kernel-memory-tcp", 0, true, no_kernel_memory}, {"l3-cache-schema", 0, true, no_rdt}, {"mem-bw-schema", 0, true, no_rdt}};
constexpr const char* no_lazy_pages = "memory is written and read whole; --pre-dump shortens the stop";
constexpr Flag checkpoint_flags[] = {{"image-path"}, {"work-path"}, {"parent-path"}, {"leave-running", 0, false}, {"pre-dump", 0, false}, {"tcp-established", 0, false}, {"tcp-skip-in-flight", 0, false}, {"ext-unix-sk", 0, false},
                                     {"shell-job", 0, false}, {"file-locks", 0, false}, {"link-remap", 0, false}, {"auto-dedup", 0, false}, {"manage-cgroups-mode"}, {"network-lock"}, {"empty-ns"},
                                     {"lazy-pages", 0, false, no_lazy_pages}, {"page-server", 0, true, "the images are written to --image-path only"}};
constexpr Flag restore_flags[] = {{"bundle", 'b'}, {"image-path"}, {"work-path"}, {"pid-file"}, {"detach", 'd', false}, {"keep", 0, false}, {"no-subreaper", 0, false}, {"tcp-established", 0, false}, {"ext-unix-sk", 0, false},
                                  {"shell-job", 0, false}, {"file-locks", 0, false}, {"link-remap", 0, false}, {"auto-dedup", 0, false}, {"manage-cgroups-mode"}, {"empty-ns"}, {"lsm-profile"}, {"lsm-mount-context"},
                                  {"no-pivot", 0, false, pivot}, {"lazy-pages", 0, false, no_lazy_pages}, {"console-socket", 0, true, "a container with a terminal can't be restored"}};
constexpr Flag events_flags[] = {{"stats", 0, false}, {"interval"}};

struct Command {
  std::string_view name;
  Run run;
  std::span<const Flag> flags;
  std::size_t fewest, most;    // operands
  bool makes_process = false;  // so it must not run from a file that a container could overwrite
};

constexpr std::size_t any = 1 << 20;
constexpr Command commands[] = {
    {"create", create, create_flags, 1, 1, true}, {"start", start, {}, 1, 1},
    {"run", run, run_flags, 1, 1, true},          {"exec", exec, exec_flags, 1, any, true},
    {"state", state, {}, 1, 1},                   {"list", list, list_flags, 0, 0},
    {"kill", kill_container, kill_flags, 1, 2},   {"delete", delete_container, delete_flags, 1, 1},
    {"ps", ps, ps_flags, 1, any},                 {"pause", pause, {}, 1, 1},
    {"resume", resume, {}, 1, 1},                 {"update", update, update_flags, 1, 1},
    {"events", events, events_flags, 1, 1},       {"features", features, {}, 0, 0},
    {"spec", spec, spec_flags, 0, 0},             {"checkpoint", checkpoint, checkpoint_flags, 1, 1},
    {"restore", restore, restore_flags, 1, 1},
};

std::string now_text() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  char text[40];
  const std::size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(text + length, sizeof text - length, ".%09ldZ", now.tv_nsec);
  return text;
}

// As runc writes them: the shims read the last error's "msg".
void log_line(const Arguments& global, const char* level, const std::string& message) {
  std::string path = global.value("log");
  if (path.empty()) return;
  if (path.starts_with("file:")) path.erase(0, 5);  // as crun has it
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file) {
    fprintf(stderr, "mooring-runtime: open --log %s: %s\n", path.c_str(), std::strerror(errno));
    return;
  }
  const nlohmann::json text = message;
  const auto replace = nlohmann::json::error_handler_t::replace;
  const std::string quoted = text.dump(-1, ' ', false, replace);
  if (global.value("log-format", "text") == "json") dprintf(file.get(), "{\"level\":\"%s\",\"msg\":%s,\"time\":\"%s\"}\n", level, quoted.c_str(), now_text().c_str());
  else dprintf(file.get(), "time=\"%s\" level=%s msg=%s\n", now_text().c_str(), level, quoted.c_str());
}

void log_error(const Arguments& global, const std::string& message) {
  fprintf(stderr, "mooring-runtime: %s\n", message.c_str());
  log_line(global, "error", message);
}

Result<int> run_command(const Command& command, const Arguments& global, int argc, char** argv, char** whole) {
  // The program of exec has flags of its own.
  auto arguments = parse_arguments(argc, argv, command.flags, command.name == "exec" || command.name == "ps" ? 1 : any);
  if (!arguments) return std::move(arguments.error());
  const std::size_t count = arguments->operands().size();
  if (count < command.fewest) return Error{std::string(command.name) + ": a container id is needed"};
  if (count > command.most) return Error{std::string(command.name) + ": \"" + arguments->operands()[command.most] + "\" is one argument too many"};
  if (command.makes_process) MOORING_TRY(rerun_read_only(whole));
  const auto warn = [&](const std::string& message) {
    fprintf(stderr, "mooring-runtime: warning: %s\n", message.c_str());
    log_line(global, "warning", message);
  };
  // A word of the command line that is to go into JSON may be no UTF-8, and a member of a file that was given may be of another kind than it must be.
  try {
    return command.run({.root = global.value("root", "/run/mooring-runtime"), .warn = warn, .systemd_cgroup = global.has("systemd-cgroup") || global.value("cgroup-manager") == "systemd", .criu = global.value("criu")}, *arguments);
  } catch (const nlohmann::json::exception& wrong) {
    return Error{std::string(command.name) + ": " + wrong.what(), EINVAL};
  }
}

}  // namespace

int run_command_line(int argc, char** argv) {
  int next = 0;
  const auto global = parse_arguments(argc - 1, argv + 1, global_flags, 1, &next);
  if (!global) {
    log_error({}, global.error().message);
    return 1;
  }
  if (global->has("version")) {
    std::printf("mooring-runtime version %s\nspec: %s\n", kVersion, kRuntimeSpecVersion);
    return 0;
  }
  if (const std::string log = global->value("log"); log.starts_with("journald:") || log.starts_with("syslog:")) {
    log_error({}, "flag --log: only a file can be written to, not \"" + log + "\"");
    return 1;
  }
  if (const std::string format = global->value("log-format", "text"); format != "text" && format != "json") {
    log_error({}, "flag --log-format: \"" + format + "\" must be text or json");
    return 1;
  }
  if (const std::string manager = global->value("cgroup-manager", "cgroupfs"); manager != "cgroupfs" && manager != "systemd") {
    log_error(*global, "flag --cgroup-manager: \"" + manager + "\" must be cgroupfs or systemd");
    return 1;
  }
  char** rest = argv + 1 + next;
  const int count = argc - 1 - next;
  const std::string_view name = count > 0 ? rest[0] : "";
  for (const Command& command : commands) {
    if (command.name != name) continue;
    if (count > 1 && std::string_view(rest[1]) == "--help") {  // podman asks so whether a runtime has the command
      std::fputs(kUsage, stdout);
      return 0;
    }
    if (global->has("debug")) log_line(*global, "debug", std::string(name) + ": begins, version " + kVersion);
    auto code = run_command(command, *global, count - 1, rest + 1, argv);
    if (code) return *code;
    log_error(*global, code.error().message);
    // As shells have it, and what runc's and crun's callers expect of exec and run.
    return name == "exec" || name == "run" ? (code.error().code == ENOENT && code.error().message.starts_with("exec: ") ? 127 : code.error().message.starts_with("exec: ") ? 126 : 255) : 1;
  }
  log_error(*global, name.empty() ? std::string("which command?") : "unknown command \"" + std::string(name) + "\"");
  std::fputs(kUsage, stderr);
  return 1;
}

}  // namespace mooring::oci
