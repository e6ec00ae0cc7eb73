#include "archive/tar_writer.h"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace mooring {

namespace {

constexpr size_t kBlock = 512;

/// The ustar header's fields: offset and width of each.
struct Field {
  size_t offset;
  size_t width;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12}, kTime{136, 12}, kSum{148, 8}, kLink{157, 100}, kMajor{329, 8}, kMinor{337, 8};
constexpr size_t kType = 156;
constexpr size_t kMagic = 257;

void put_text(char* block, Field field, std::string_view text) { text.copy(block + field.offset, field.width); }

/// Octal digits, and a NUL behind them. False where they don't fit.
bool put_octal(char* block, Field field, uint64_t value) {
  if (value >> (3 * (field.width - 1)) != 0) return false;
  for (size_t at = field.width - 1; at-- > 0; value >>= 3) block[field.offset + at] = static_cast<char>('0' + (value & 7));
  return true;
}

/// "LENGTH KEY=VALUE\n", where the length counts its own digits, too.
std::string record(const std::string& key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) length = rest + std::to_string(length).size();
  return std::to_string(length) + " " + key + "=" + std::string(value) + "\n";
}

/// Seconds with as many digits behind the point as there are. Before 1970 whole ones, rounded down: of the fraction's sign readers think differently.
std::string time_text(timespec time) {
  std::string text = std::to_string(static_cast<long long>(time.tv_sec));
  if (time.tv_nsec == 0 || time.tv_sec < 0) return text;
  char digits[16];
  std::snprintf(digits, sizeof digits, ".%09ld", time.tv_nsec);
  text += digits;
  while (text.back() == '0') text.pop_back();
  return text;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void seal(char* block) {
  std::fill_n(block + kSum.offset, kSum.width, ' ');
  unsigned sum = 0;
  for (size_t at = 0; at < kBlock; ++at) sum += static_cast<unsigned char>(block[at]);
  put_octal(block, {kSum.offset, 7}, sum);
  block[kSum.offset + 7] = ' ';
}

void put_magic(char* block) { std::string_view("ustar\00000", 8).copy(block + kMagic, 8); }

}  // namespace

Status TarWriter::begin(const TarHeader& header) {
  char block[kBlock] = {};
  auto records = header.records;
  // A name of other bytes than ASCII is UTF-8 by pax's word, and of no said encoding in a plain header.
  const auto text = [&](Field field, const char* key, const std::string& value) {
    put_text(block, field, value);
    if (value.size() > field.width || !is_ascii(value)) records.emplace(key, value);
  };
  const auto number = [&](Field field, const char* key, uint64_t value) {
    if (put_octal(block, field, value)) return;
    put_octal(block, field, 0);
    records.emplace(key, std::to_string(value));
  };
  text(kName, "path", header.path);
  text(kLink, "linkpath", header.link);
  put_octal(block, kMode, header.mode);
  number(kUid, "uid", header.uid);
  number(kGid, "gid", header.gid);
  number(kSize, "size", header.size);
  put_octal(block, kTime, header.mtime.tv_sec < 0 ? 0 : static_cast<uint64_t>(header.mtime.tv_sec));
  if (header.mtime.tv_sec < 0 || header.mtime.tv_nsec != 0 || header.mtime.tv_sec >> 33 != 0) records.emplace("mtime", time_text(header.mtime));
  block[kType] = header.type;
  put_magic(block);
  if (header.type == '3' || header.type == '4') {
    put_octal(block, kMajor, major(header.device));
    put_octal(block, kMinor, minor(header.device));
  }
  seal(block);

  if (!records.empty()) {
    std::string extended;
    for (const auto& [key, value] : records) extended += record(key, value);
    char above[kBlock] = {};
    put_text(above, kName, "PaxHeaders.0/" + header.path.substr(0, kName.width - 13));
    put_octal(above, kMode, 0644);
    put_octal(above, kUid, 0);
    put_octal(above, kGid, 0);
    put_octal(above, kSize, extended.size());
    put_octal(above, kTime, 0);
    above[kType] = 'x';
    put_magic(above);
    seal(above);
    MOORING_TRY(put({above, kBlock}));
    MOORING_TRY(put(extended));
    MOORING_TRY(end());
  }
  return put({block, kBlock});
}

Status TarWriter::content(std::string_view bytes) { return put(bytes); }

Status TarWriter::content_of(int file, off_t offset, uint64_t count) {
  while (count > 0) {
    if (buffer_.size() == kBufferBytes) MOORING_TRY(flush());
    const size_t before = buffer_.size();
    const size_t wanted = std::min<uint64_t>(kBufferBytes - before, count);
    buffer_.resize(before + wanted);
    const ssize_t got = ::pread(file, buffer_.data() + before, wanted, offset);
    if (got < 0) {
      buffer_.resize(before);
      if (errno == EINTR) continue;
      return sys_error("read its content");
    }
    buffer_.resize(before + static_cast<size_t>(got));
    written_ += static_cast<uint64_t>(got);
    if (got == 0) return zeros(count);
    offset += got;
    count -= static_cast<uint64_t>(got);
  }
  return ok();
}

Status TarWriter::end() { return zeros((kBlock - written_ % kBlock) % kBlock); }

Status TarWriter::finish() {
  MOORING_TRY(zeros(2 * kBlock));
  return flush();
}

Status TarWriter::zeros(uint64_t count) {
  static constexpr char kNothing[4096] = {};
  for (; count > 0;) {
    const size_t some = std::min<uint64_t>(sizeof kNothing, count);
    MOORING_TRY(put({kNothing, some}));
    count -= some;
  }
  return ok();
}

Status TarWriter::put(std::string_view bytes) {
  written_ += bytes.size();
  while (!bytes.empty()) {
    if (buffer_.size() == kBufferBytes) MOORING_TRY(flush());
    const size_t some = std::min(kBufferBytes - buffer_.size(), bytes.size());
    buffer_.append(bytes.substr(0, some));
    bytes.remove_prefix(some);
  }
  return ok();
}

Status TarWriter::flush() {
  if (output_.hash != nullptr) output_.hash->update(buffer_);
  for (size_t done = 0; done < buffer_.size();) {
    const ssize_t count = ::write(output_.out, buffer_.data() + done, buffer_.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sys_error("write the archive");
    done += static_cast<size_t>(count);
  }
  MOORING_TRY(tell_growth(buffer_.size()));
  buffer_.clear();
  return ok();
}

Status TarWriter::tell_growth(uint64_t count) {
  untold_ += count;
  if (output_.growth < 0 || untold_ < kToldBytes) return ok();
  untold_ = 0;
  ssize_t told = 0;
  do told = ::write(output_.growth, "", 1);
  while (told < 0 && errno == EINTR);
  return told == 1 ? ok() : Status(sys_error("tell that the archive has grown"));
}

}  // namespace mooring
