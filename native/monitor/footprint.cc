#include "monitor/footprint.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <cstdint>

namespace mooring {

namespace {

/// Unmaps the pages of our own code and constants. They stay in the page cache, which all monitors share; the few that waiting needs come back one by one.
void forget_code() {
  const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(::getauxval(AT_PHDR));
  const unsigned long count = ::getauxval(AT_PHNUM);
  const unsigned long page = ::getauxval(AT_PAGESZ);
  for (unsigned long i = 0; i < count; ++i) {
    // Never a writable segment: what was written to it would be lost.
    if (headers[i].p_type != PT_LOAD || (headers[i].p_flags & PF_W) != 0) continue;
    const uintptr_t start = headers[i].p_vaddr & ~(page - 1);
    ::madvise(reinterpret_cast<void*>(start), headers[i].p_vaddr + headers[i].p_memsz - start, MADV_DONTNEED);
  }
}

}  // namespace

void shrink_footprint() {
  ::malloc_trim(0);
  forget_code();
}

}  // namespace mooring
