#include "seccomp_filter.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "files.h"
#include "seccomp_compact.h"
#include "unique_fd.h"

namespace mooring {
namespace {

// A cache file: the header, the key, the program. The whole key is kept and compared, so that a clash of hashes costs a compilation and never gives a wrong filter.
struct Header {
  char magic[8];
  uint32_t key_size;
  uint32_t program_size;
};
// The last character changes with how programs are made.
constexpr char magic[8] = {'m', 'o', 'o', 'r', 'b', 'p', 'f', '2'};
constexpr unsigned wait_killable = 1u << 5;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19
constexpr std::size_t largest_entry = 1 << 20;

// Everything that the program follows from, unambiguously: strings by their length first.
class Key {
 public:
  Key& add(const std::string& value) {
    text += std::to_string(value.size()) + ":" + value;
    return *this;
  }
  Key& add(uint64_t value) {
    text += std::to_string(value) + ",";
    return *this;
  }
  Key& add(const std::vector<std::string>& values) {
    add(values.size());
    for (const std::string& value : values) add(value);
    return *this;
  }
  Key& add(const std::optional<unsigned>& value) { return add(value ? uint64_t{*value} + 1 : 0); }
  std::string text;
};

std::string key_of(const Seccomp& seccomp) {
  Key key;
  const scmp_version* library = seccomp_version();
  key.add(uint64_t{library->major}).add(uint64_t{library->minor}).add(uint64_t{library->micro}).add(uint64_t{seccomp_arch_native()});
  key.add(seccomp.default_action).add(seccomp.default_errno_ret).add(seccomp.architectures).add(seccomp.rules.size());
  for (const SeccompRule& rule : seccomp.rules) {
    key.add(rule.names).add(rule.action).add(rule.errno_ret).add(rule.args.size());
    for (const SeccompArg& arg : rule.args) key.add(uint64_t{arg.index}).add(arg.value).add(arg.value_two).add(arg.op);
  }
  return std::move(key.text);
}

// FNV-1a: names the file, proves nothing.
std::string file_name(const std::string& key) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : key) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  char name[32];
  snprintf(name, sizeof name, "%016llx.bpf", static_cast<unsigned long long>(hash));
  return name;
}

bool only_ours(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && status.st_uid == geteuid() && (status.st_mode & 077) == 0;
}

Result<UniqueFd> open_cache(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return sys_error("make dev.mooring.seccomp.cache " + path);
  UniqueFd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return sys_error("open dev.mooring.seccomp.cache " + path);
  if (!only_ours(folder.get())) return Error{"dev.mooring.seccomp.cache " + path + " must belong to this user and be closed to all others (0700)", EPERM};
  return folder;
}

// Empty where there is no sound entry of this key.
std::string cached_program(int folder, const std::string& name, const std::string& key) {
  auto text = read_file(folder, name, largest_entry);
  if (!text || text->size() < sizeof(Header)) return {};
  Header header;
  std::memcpy(&header, text->data(), sizeof header);
  if (std::memcmp(header.magic, magic, sizeof magic) != 0 || header.key_size != key.size()) return {};
  if (text->size() != sizeof header + key.size() + header.program_size || text->compare(sizeof header, key.size(), key) != 0) return {};
  return text->substr(sizeof header + key.size());
}

Status keep_program(int folder, const std::string& name, const std::string& key, const std::string& program) {
  Header header{{}, static_cast<uint32_t>(key.size()), static_cast<uint32_t>(program.size())};
  std::memcpy(header.magic, magic, sizeof magic);
  const std::string text = std::string(reinterpret_cast<const char*>(&header), sizeof header) + key + program;
  const std::string temporary = name + "." + std::to_string(getpid());
  const UniqueFd file(openat(folder, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return sys_error("make " + temporary);
  const bool written = write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (written && renameat(folder, temporary.c_str(), folder, name.c_str()) == 0) return ok();
  const Error error = sys_error("keep " + name);
  unlinkat(folder, temporary.c_str(), 0);
  return error;
}

Result<std::string> short_program(const Seccomp& seccomp) {
  std::vector<uint32_t> architectures;
  auto program = compile_seccomp(seccomp, architectures);
  if (!program) return program;
  return compact_seccomp(*program, architectures);
}

Result<std::string> program_of(const Seccomp& seccomp, const std::string& cache_folder) {
  if (cache_folder.empty()) return short_program(seccomp);
  auto folder = open_cache(cache_folder);
  if (!folder) return std::move(folder.error());
  const std::string key = key_of(seccomp);
  const std::string name = file_name(key);
  if (std::string program = cached_program(folder->get(), name, key); !program.empty()) return program;
  auto program = short_program(seccomp);
  // A full tmpfs costs the next start a millisecond, not this one its container.
  if (program) (void)keep_program(folder->get(), name, key, *program);
  return program;
}

}  // namespace

Result<SeccompFilter> seccomp_filter(const Seccomp& seccomp, const std::string& cache_folder) {
  SeccompFilter filter;
  for (const std::string& flag : seccomp.flags) {
    if (flag == "SECCOMP_FILTER_FLAG_LOG") filter.flags |= SECCOMP_FILTER_FLAG_LOG;
    else if (flag == "SECCOMP_FILTER_FLAG_SPEC_ALLOW") filter.flags |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    else if (flag == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") filter.flags |= wait_killable;
    else if (flag != "SECCOMP_FILTER_FLAG_TSYNC") return Error{"config.json: linux.seccomp.flags: \"" + flag + "\" is not supported"};  // TSYNC: one thread here
  }
  filter.notifies = seccomp.notifies();
  if (filter.notifies) filter.flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  else filter.flags &= ~wait_killable;  // about waiting for the agent's answer
  auto program = program_of(seccomp, cache_folder);
  if (!program) return std::move(program.error());
  filter.program = std::move(*program);
  return filter;
}

Result<UniqueFd> load_seccomp(const SeccompFilter& filter) {
  sock_fprog program{};
  program.len = static_cast<unsigned short>(filter.program.size() / sizeof(sock_filter));
  program.filter = reinterpret_cast<sock_filter*>(const_cast<char*>(filter.program.data()));
  const long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter.flags, &program);
  if (listener < 0) return sys_error("load linux.seccomp");
  return UniqueFd(filter.notifies ? static_cast<int>(listener) : -1);
}

}  // namespace mooring
