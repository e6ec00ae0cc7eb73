// A buffer of whole pages, which take no memory until they are used, nor once they were given back.
#pragma once

#include <sys/mman.h>

#include <span>
#include <utility>

#include "runtime/result.h"

namespace mooring {

class PageBuffer {
 public:
  static Result<PageBuffer> create(size_t size) {
    void* start = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return sys_error("mmap a buffer");
    return PageBuffer({static_cast<char*>(start), size});
  }
  PageBuffer(PageBuffer&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  PageBuffer& operator=(PageBuffer&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~PageBuffer() {
    if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
  }

  std::span<char> bytes() const { return bytes_; }
  /// Loses the content.
  void give_back() { ::madvise(bytes_.data(), bytes_.size(), MADV_DONTNEED); }

 private:
  explicit PageBuffer(std::span<char> bytes) : bytes_(bytes) {}
  std::span<char> bytes_;
};

}  // namespace mooring
