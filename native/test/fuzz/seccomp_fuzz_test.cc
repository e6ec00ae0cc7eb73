// Profiles made at random: the short program answers every call as libseccomp's own does.
#include <doctest/doctest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../runtime/bpf_answer.h"
#include "mutator.h"
#include "runtime/seccomp_compact.h"
#include "runtime/seccomp_filter.h"

using namespace mooring;
using namespace mooring::test;

namespace {

const char* const actions[] = {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_LOG", "SCMP_ACT_TRAP", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL", "SCMP_ACT_TRACE", "SCMP_ACT_NOTIFY", "SCMP_ACT_NONE"};
const char* const operators[] = {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_XX"};
const char* const calls[] = {"read", "write", "open", "close", "stat", "mmap", "clone", "socket", "personality", "ioctl", "getpid", "kill", "mount", "openat2", "statx", "futex", "socketcall", "ipc", "nothing_of_that_name"};
const char* const machines[] = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_NONE"};
constexpr uint64_t numbers[] = {0, 1, 2, 40, 0x20008, 0x7e020000, 0xffffffff, 0x100000000, 0x100000005, ~0ull};

template <typename T, std::size_t size>
T any(Random& random, T const (&from)[size], std::size_t seldom = 1) {
  return from[random.one_in(20) ? random.below(size) : random.below(size - seldom)];  // the last are wrong
}

Seccomp any_profile(Random& random) {
  Seccomp seccomp;
  seccomp.default_action = any(random, actions, 2);
  if (random.one_in(2)) seccomp.default_errno_ret = static_cast<unsigned>(random.below(100));
  for (std::size_t i = random.below(4); i > 0; --i) seccomp.architectures.emplace_back(any(random, machines));
  for (std::size_t i = random.below(12); i > 0; --i) {
    SeccompRule& rule = seccomp.rules.emplace_back();
    rule.action = any(random, actions);
    if (random.one_in(3)) rule.errno_ret = static_cast<unsigned>(random.one_in(10) ? random.next() : random.below(200));
    for (std::size_t n = 1 + random.below(4); n > 0; --n) rule.names.emplace_back(any(random, calls));
    for (std::size_t n = random.below(3); n > 0; --n) rule.args.push_back({static_cast<unsigned>(random.below(random.one_in(20) ? 9 : 6)), numbers[random.below(std::size(numbers))], numbers[random.below(std::size(numbers))], any(random, operators)});
  }
  return seccomp;
}

/// Whether libseccomp gets to an end with it: it does not with some sets of rules (seccomp_compile.cc), which is found out by another process.
bool compilable(const Seccomp& seccomp) {
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    const rlimit seconds{2, 2};
    std::vector<uint32_t> architectures;
    _exit(setrlimit(RLIMIT_CPU, &seconds) == 0 && compile_seccomp(seccomp, architectures) ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status);
}

}  // namespace

TEST_CASE("fuzz: seccomp profiles") {
  unsigned tried = 0, compiled = 0;
  rounds(600, [&](Random& random) {
    ++tried;
    const Seccomp seccomp = any_profile(random);
    if (!compilable(seccomp)) return;
    std::vector<uint32_t> architectures;
    const auto raw = compile_seccomp(seccomp, architectures);
    if (!raw) {
      CHECK(raw.error().message.find("linux.seccomp") != std::string::npos);
      return;
    }
    ++compiled;
    const std::string compact = compact_seccomp(*raw, architectures);
    REQUIRE(compact.size() % sizeof(sock_filter) == 0);
    REQUIRE(compact.size() / sizeof(sock_filter) <= BPF_MAXINSNS);
    for (int i = 0; i < 400; ++i) {
      const uint32_t machine = random.one_in(20) ? static_cast<uint32_t>(random.next()) : architectures[random.below(architectures.size())];
      seccomp_data call{static_cast<int>(random.below(480) | (random.one_in(8) ? 0x40000000 : 0)), machine, 0, {}};
      if (random.one_in(50)) call.nr = static_cast<int>(random.next());
      for (auto& argument : call.args) argument = random.one_in(4) ? random.next() : numbers[random.below(std::size(numbers))];
      if (answer(*raw, call) != answer(compact, call)) {
        CAPTURE(call.nr);
        CAPTURE(call.arch);
        CHECK(answer(*raw, call) == answer(compact, call));
      }
    }
  });
  CHECK(compiled > tried / 3);
}
