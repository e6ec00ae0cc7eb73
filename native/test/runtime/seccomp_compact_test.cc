#include <doctest/doctest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <random>

#include "bpf_answer.h"
#include "runtime/seccomp_compact.h"
#include "runtime/seccomp_filter.h"

using namespace mooring;
using namespace mooring::test;

namespace {

// A profile of the usual kind: most calls allowed, some by their arguments, some with an errno of their own.
Seccomp profile() {
  Seccomp seccomp{"SCMP_ACT_ERRNO", 1, {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}, {}, {}, {}, {}};
  SeccompRule allowed{{}, "SCMP_ACT_ALLOW", {}, {}};
  for (int number = 0; number < 460; ++number) {
    char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);
    const std::string text = name ? name : "";
    free(name);
    if (!text.empty() && number % 17 != 3 && text != "clone" && text != "clone3" && text != "personality" && text != "socket") allowed.names.push_back(text);
  }
  seccomp.rules = {allowed,
                   {{"clone"}, "SCMP_ACT_ALLOW", {}, {{0, 0x7e020000, 0, "SCMP_CMP_MASKED_EQ"}}},
                   {{"clone3"}, "SCMP_ACT_ERRNO", 38, {}},
                   {{"socket"}, "SCMP_ACT_ALLOW", {}, {{0, 40, 0, "SCMP_CMP_NE"}}},
                   {{"socket"}, "SCMP_ACT_KILL_PROCESS", {}, {{0, 40, 0, "SCMP_CMP_EQ"}, {2, 0x100000005, 0, "SCMP_CMP_GT"}}}};
  for (const uint64_t persona : {0x0ull, 0x8ull, 0x20000ull, 0x20008ull, 0xffffffffull}) seccomp.rules.push_back({{"personality"}, "SCMP_ACT_ALLOW", {}, {{0, persona, 0, "SCMP_CMP_EQ"}}});
  return seccomp;
}

}  // namespace

TEST_CASE("the short program answers every call as libseccomp's does") {
  std::vector<uint32_t> architectures;
  auto raw = compile_seccomp(profile(), architectures);
  REQUIRE(raw);
  CHECK(architectures == std::vector<uint32_t>{AUDIT_ARCH_X86_64, AUDIT_ARCH_I386});
  const std::string compact = compact_seccomp(*raw, architectures);
  CHECK(compact.size() < raw->size());

  std::mt19937_64 random(1);
  const uint64_t interesting[] = {0, 1, 8, 40, 41, 0x20000, 0x20008, 0x7e020000, 0x02000000, 0xffffffff, 0x100000005, 0x100000006, ~0ull};
  for (const uint32_t architecture : std::initializer_list<uint32_t>{AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0}) {
    for (const uint32_t base : {0u, 0x40000000u, 0x7ffffff0u, 0xfffffe00u}) {
      for (uint32_t offset = 0; offset < 512; ++offset) {
        seccomp_data call{static_cast<int>(base + offset), architecture, 0, {}};
        for (int round = 0; round < 12; ++round) {
          for (auto& argument : call.args) argument = random() % 4 ? interesting[random() % std::size(interesting)] : random();
          const uint32_t expected = answer(*raw, call), got = answer(compact, call);
          if (expected != got) {
            CAPTURE(architecture);
            CAPTURE(call.nr);
            CHECK(expected == got);
          }
        }
      }
    }
  }
}

TEST_CASE("a program that is not understood stays as it is") {
  const sock_filter odd[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0}, {BPF_MISC | BPF_TAX, 0, 0, 0}, {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
  const std::string text(reinterpret_cast<const char*>(odd), sizeof odd);
  CHECK(compact_seccomp(text, {AUDIT_ARCH_X86_64}) == text);
}
