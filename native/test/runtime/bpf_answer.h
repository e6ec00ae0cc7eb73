// What a seccomp program answers to a system call.
#pragma once

#include <doctest/doctest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstring>
#include <string>

namespace mooring::test {

/// The kernel's interpreter, for the instructions that a seccomp filter of ours may hold. `text` is struct sock_filter[], as bytes.
inline uint32_t answer(const std::string& text, const seccomp_data& call) {
  const auto* program = reinterpret_cast<const sock_filter*>(text.data());
  const std::size_t size = text.size() / sizeof(sock_filter);
  uint32_t a = 0;
  for (std::size_t at = 0; at < size; ++at) {
    const sock_filter& one = program[at];
    switch (one.code) {
      case BPF_LD | BPF_W | BPF_ABS: std::memcpy(&a, reinterpret_cast<const char*>(&call) + one.k, 4); break;
      case BPF_RET | BPF_K: return one.k;
      case BPF_ALU | BPF_AND | BPF_K: a &= one.k; break;
      case BPF_JMP | BPF_JA: at += one.k; break;
      case BPF_JMP | BPF_JEQ | BPF_K: at += a == one.k ? one.jt : one.jf; break;
      case BPF_JMP | BPF_JGE | BPF_K: at += a >= one.k ? one.jt : one.jf; break;
      case BPF_JMP | BPF_JGT | BPF_K: at += a > one.k ? one.jt : one.jf; break;
      default: FAIL("an instruction that the test does not know");
    }
  }
  FAIL("ran off the end");
  return 0;
}

}  // namespace mooring::test
