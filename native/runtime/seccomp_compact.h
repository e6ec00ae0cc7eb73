// A seccomp program made short: libseccomp compares with every system call's number, one by one; here neighbours that are treated alike become one range.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mooring {

/// A program that answers every call as `program` does, as a search tree over ranges of call numbers for each architecture (AUDIT_ARCH_*).
///
/// The kernel runs a filter once for each call number when it is loaded (to find those it always allows) and translates it to machine code, so each start pays for
/// its length and depth: Docker's default policy took 1.1 ms to load as the 1,001 instructions that libseccomp makes of it, and takes 0.2 ms as 627 in a tree.
/// The meaning is taken from the program itself, by running it: where the number alone decides, that is the leaf; where arguments matter, the leaf is that part
/// of the program, copied. A program with instructions not known here comes back as it is.
std::string compact_seccomp(const std::string& program, const std::vector<uint32_t>& architectures);

}  // namespace mooring
