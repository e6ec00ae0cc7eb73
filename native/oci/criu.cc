#include "criu.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "runtime/files.h"
#include "runtime/process.h"
#include "runtime/unique_fd.h"

namespace mooring::oci {
namespace {

namespace fs = std::filesystem;

constexpr std::pair<const char*, const char*> switches[] = {{"tcp-established", "--tcp-established"}, {"tcp-skip-in-flight", "--skip-in-flight"}, {"ext-unix-sk", "--ext-unix-sk"}, {"shell-job", "--shell-job"},
                                                            {"file-locks", "--file-locks"},           {"link-remap", "--link-remap"},            {"auto-dedup", "--auto-dedup"},   {"leave-running", "--leave-running"}};
constexpr std::pair<const char*, const char*> values[] = {{"manage-cgroups-mode", "--manage-cgroups"}, {"network-lock", "--network-lock"}, {"lsm-profile", "--lsm-profile"}, {"lsm-mount-context", "--lsm-mount-context"}, {"parent-path", "--prev-images-dir"}};

// Empty where PATH has none.
std::string find_program(const std::string& name) {
  const char* path = getenv("PATH");
  const std::string folders = path && *path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (std::size_t at = 0; at <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    const std::string program = folders.substr(at, end - at) + "/" + name;
    if (end > at && access(program.c_str(), X_OK) == 0) return program;
    at = end + 1;
  }
  return {};
}

Result<std::string> find_criu(const std::string& wanted) {
  if (!wanted.empty()) return access(wanted.c_str(), X_OK) == 0 ? Result<std::string>(wanted) : sys_error("--criu " + wanted);
  std::string found = find_program("criu");
  if (!found.empty()) return found;
  return Error{"CRIU, which checkpoints and restores, is not installed: no program \"criu\" in PATH (--criu names another)", ENOENT};
}

// Its lines: "(00.002114) Error (criu/mount.c:1018): mnt: …". The first tells the reason, those after it what came of that; that a helper has ended is no reason.
std::string first_error(const std::string& log) {
  auto text = read_file(AT_FDCWD, log, 256 << 20);
  if (!text) return "it has written no log";
  for (std::size_t at = 0; (at = text->find("Error (", at)) != std::string::npos;) {
    const std::size_t end = std::min(text->find('\n', at), text->size()), said = std::min(text->find("): ", at) + 3, end);
    const std::string error = text->substr(said, end - said);
    if (!error.starts_with("exited, status=")) return error;
    at = end;
  }
  return "its log names no error";
}

[[noreturn]] void become_criu(const CriuCall& call, const std::vector<char*>& words, int report) {
  Status ready = reset_signals();
  if (ready && call.prepare) ready = call.prepare();
  for (const int fd : call.inherited)
    if (ready && fcntl(fd, F_SETFD, 0) != 0) ready = sys_error("pass descriptor " + std::to_string(fd) + " on to CRIU");
  if (ready) {
    execv(words[0], words.data());
    ready = sys_error(std::string("run ") + words[0]);
  }
  const std::string& message = ready.error().message;
  _exit(write(report, message.data(), message.size()) < 0 ? 126 : 127);
}

// What the child has said before its execve; nothing is said after that.
std::string report_of(int report) {
  std::string text;
  char buffer[1024];
  for (ssize_t got; (got = read(report, buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR);)
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

}  // namespace

Result<CriuFolders> criu_folders(const Arguments& arguments, bool make) {
  CriuFolders folders;
  folders.images = fs::absolute(arguments.value("image-path", "checkpoint")).lexically_normal();
  folders.work = arguments.has("work-path") ? fs::absolute(arguments.value("work-path")).lexically_normal() : fs::path(folders.images);
  std::error_code failed;
  if (make && fs::create_directories(folders.images, failed)) fs::permissions(folders.images, fs::perms::owner_all, failed);  // it holds the processes' memory
  if (failed) return Error{"--image-path " + folders.images + ": " + failed.message(), failed.value()};
  if (!make && access(folders.images.c_str(), F_OK) != 0) return sys_error("--image-path " + folders.images);
  fs::create_directories(folders.work, failed);
  if (failed) return Error{"--work-path " + folders.work + ": " + failed.message(), failed.value()};
  return folders;
}

bool has_program(const std::string& name) { return !find_program(name).empty(); }

Status run_criu(const CriuCall& call) {
  auto program = find_criu(call.program);
  if (!program) return std::move(program.error());
  const std::string log = call.folders.work + "/" + call.command + ".log";
  std::vector<std::string> words = {*program, call.command, "--images-dir", call.folders.images, "--work-dir", call.folders.work, "--log-file", call.command + ".log", "-v4"};
  words.insert(words.end(), call.words.begin(), call.words.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  if (unlink(log.c_str()) != 0 && errno != ENOENT) return sys_error("remove " + log);  // that of an earlier call

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return sys_error("make a pipe");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return sys_error("fork");
  if (pid == 0) become_criu(call, pointers, writer.get());
  writer.reset();
  const std::string report = report_of(reader.get());
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!report.empty()) return Error{report, ECHILD};
  if (status == 0) return ok();
  return Error{"criu " + call.command + ": " + first_error(log) + " (all of it is in " + log + "; \"criu check\" tells what this kernel lacks for it)", ECHILD};
}

std::vector<std::string> passed_on(const Arguments& arguments) {
  std::vector<std::string> words;
  for (const auto& [flag, word] : switches)
    if (arguments.has(flag)) words.emplace_back(word);
  for (const auto& [flag, word] : values)
    if (arguments.has(flag)) words.push_back(std::string(word) + "=" + arguments.value(flag));
  for (const std::string& one : arguments.all("empty-ns")) words.insert(words.end(), {"--empty-ns", one == "network" ? "net" : one});
  return words;
}

}  // namespace mooring::oci
