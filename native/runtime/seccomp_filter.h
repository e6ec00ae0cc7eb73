// linux.seccomp as the BPF program that the kernel runs (seccomp(2)).
#pragma once

#include <string>

#include "config.h"
#include "result.h"
#include "unique_fd.h"

namespace mooring {

struct SeccompFilter {
  std::string program;  // struct sock_filter[], as bytes
  unsigned flags = 0;   // SECCOMP_FILTER_FLAG_*
  bool notifies = false;  // loading it gives a listener
};

/// The filter of `seccomp`: from the cache where an equal one was compiled before, else compiled, and kept there. `cache_folder` may be empty.
Result<SeccompFilter> seccomp_filter(const Seccomp& seccomp, const std::string& cache_folder);

/// Processor time, in seconds, that a compilation may take; SIGPROF ends the calling process then.
constexpr int longest_compilation = 10;

/// Compiles by libseccomp. Errors name the field. `architectures` gets those that the program tells apart (AUDIT_ARCH_*), the native one first.
Result<std::string> compile_seccomp(const Seccomp& seccomp, std::vector<uint32_t>& architectures);

/// Puts the calling thread under the filter, for good. Needs CAP_SYS_ADMIN or no_new_privs. Gives the listener of one that notifies.
Result<UniqueFd> load_seccomp(const SeccompFilter& filter);

}  // namespace mooring
