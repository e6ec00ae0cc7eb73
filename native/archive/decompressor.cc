#include "archive/decompressor.h"

#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace mooring {

namespace {

constexpr size_t kReadBytes = 256 * 1024;
constexpr std::string_view kGzip("\x1f\x8b", 2);
constexpr std::string_view kZstd("\x28\xb5\x2f\xfd", 4);
constexpr std::string_view kZstdSkippable("\x2a\x4d\x18", 3);  // behind a byte from 0x50 to 0x5f

/// zstd(1)'s own bound: what a frame may ask to be remembered.
constexpr int kWindowLog = 27;

Error damaged(const std::string& how) { return Error{"its compressed data is damaged: " + how}; }

/// What has been read and not been used.
class Input {
 public:
  Input(int in, int growth) : in_(in), growth_(growth), bytes_(std::make_unique<char[]>(kReadBytes)) {}

  std::string_view rest() const { return {bytes_.get() + used_, count_ - used_}; }
  void use(size_t count) { used_ += count; }

  /// Reads on until `wanted` bytes are there, or none come any more.
  Status fill(size_t wanted) {
    if (rest().size() >= wanted) return ok();
    count_ = rest().size();
    std::memmove(bytes_.get(), bytes_.get() + used_, count_);
    used_ = 0;
    while (count_ < wanted) {
      const ssize_t got = ::read(in_, bytes_.get() + count_, kReadBytes - count_);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return sys_error("read the archive");
      if (got == 0 && growth_ < 0) break;
      if (got == 0) MOORING_TRY(grow());
      count_ += static_cast<size_t>(got);
    }
    return ok();
  }

 private:
  Status grow() {
    char words[4096];
    ssize_t count = 0;
    do count = ::read(growth_, words, sizeof words);
    while (count < 0 && errno == EINTR);
    if (count < 0) return sys_error("wait for more of the archive");
    if (count == 0) growth_ = -1;
    return ok();
  }

  const int in_;
  int growth_;
  std::unique_ptr<char[]> bytes_;
  size_t used_ = 0;
  size_t count_ = 0;
};

class Plain : public Decompressor {
 public:
  explicit Plain(Input input) : input_(std::move(input)) {}

  Result<size_t> read(char* to, size_t size) override {
    MOORING_TRY(input_.fill(1));
    const size_t count = std::min(size, input_.rest().size());
    std::memcpy(to, input_.rest().data(), count);
    input_.use(count);
    return count;
  }

 private:
  Input input_;
};

class Gzip : public Decompressor {
 public:
  explicit Gzip(Input input) : input_(std::move(input)) {}
  ~Gzip() override { ::inflateEnd(&stream_); }

  /// 15 bits of window, and 16 for the gzip format (zlib.h, inflateInit2).
  Status begin() { return ::inflateInit2(&stream_, 15 + 16) == Z_OK ? ok() : Status(Error{"inflateInit2 failed", ENOMEM}); }

  Result<size_t> read(char* to, size_t size) override {
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(size);
    while (stream_.avail_out == size) {
      MOORING_TRY(input_.fill(1));
      if (between_) {
        const auto more = another();
        if (!more) return more.error();
        if (!*more) return size_t{0};
      }
      const std::string_view rest = input_.rest();
      if (rest.empty()) return damaged("it ends too early");
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));
      stream_.avail_in = static_cast<uInt>(rest.size());
      const int outcome = ::inflate(&stream_, Z_NO_FLUSH);
      input_.use(rest.size() - stream_.avail_in);
      if (outcome == Z_STREAM_END) between_ = true;
      else if (outcome != Z_OK && outcome != Z_BUF_ERROR) return damaged(stream_.msg == nullptr ? "gzip error " + std::to_string(outcome) : stream_.msg);
    }
    return size - stream_.avail_out;
  }

 private:
  /// Behind a member's end come another one, or zeros that fill up a block (RFC 1952, section 2.2; gzip(1)).
  Result<bool> another() {
    MOORING_TRY(input_.fill(kGzip.size()));
    if (input_.rest().starts_with(kGzip)) {
      between_ = false;
      return ::inflateReset(&stream_) == Z_OK ? Result<bool>(true) : Error{"inflateReset failed", EINVAL};
    }
    while (!input_.rest().empty()) {
      if (std::ranges::any_of(input_.rest(), [](char byte) { return byte != 0; })) return damaged("something follows its end");
      input_.use(input_.rest().size());
      MOORING_TRY(input_.fill(1));
    }
    return false;
  }

  Input input_;
  z_stream stream_ = {};
  bool between_ = false;
};

class Zstd : public Decompressor {
 public:
  explicit Zstd(Input input) : input_(std::move(input)), stream_(::ZSTD_createDStream()) {}
  ~Zstd() override { ::ZSTD_freeDStream(stream_); }

  Status begin() {
    if (stream_ == nullptr || ::ZSTD_isError(::ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kWindowLog))) return Error{"ZSTD_createDStream failed", ENOMEM};
    return ok();
  }

  Result<size_t> read(char* to, size_t size) override {
    ZSTD_outBuffer out{to, size, 0};
    while (out.pos == 0) {
      MOORING_TRY(input_.fill(1));
      ZSTD_inBuffer in{input_.rest().data(), input_.rest().size(), 0};
      // What is decompressed and did not fit comes without any further input.
      if (in.size == 0 && whole_) return size_t{0};
      const size_t outcome = ::ZSTD_decompressStream(stream_, &out, &in);
      if (::ZSTD_isError(outcome)) return damaged(::ZSTD_getErrorName(outcome));
      input_.use(in.pos);
      whole_ = outcome == 0;
      if (in.size == 0 && out.pos == 0) return damaged("it ends too early");
    }
    return out.pos;
  }

 private:
  Input input_;
  ZSTD_DStream* stream_;
  bool whole_ = false;  // at the end of a frame
};

template <typename Kind>
Result<std::unique_ptr<Decompressor>> begun(Input input) {
  auto kind = std::make_unique<Kind>(std::move(input));
  MOORING_TRY(kind->begin());
  return std::unique_ptr<Decompressor>(std::move(kind));
}

bool is_skippable_frame(std::string_view head) { return head.size() >= 4 && (head[0] & 0xf0) == 0x50 && head.substr(1).starts_with(kZstdSkippable); }

}  // namespace

Result<std::unique_ptr<Decompressor>> decompress(int in, int growth) {
  Input input(in, growth);
  MOORING_TRY(input.fill(4));
  const std::string_view head = input.rest();
  if (head.starts_with(kGzip)) return begun<Gzip>(std::move(input));
  if (head.starts_with(kZstd) || is_skippable_frame(head)) return begun<Zstd>(std::move(input));
  return std::unique_ptr<Decompressor>(std::make_unique<Plain>(std::move(input)));
}

}  // namespace mooring
