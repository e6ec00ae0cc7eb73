#include <fcntl.h>
#include <unistd.h>

#include <functional>

#include "archive/archive_source.h"
#include "archive/commands.h"
#include "archive/container_tree.h"
#include "archive/file_listing.h"
#include "archive/host_folder.h"
#include "archive/path_archive.h"
#include "runtime/unique_fd.h"

namespace mooring {

namespace {

/// What the pipe between both may hold: the more, the less often one waits for the other.
constexpr int kPipeBytes = 1024 * 1024;
constexpr std::string_view kPacked = "packed";

/// How the packing ended, in words that fit a pipe.
void say_outcome(int to, const Result<PackTally>& packed) {
  const std::string text = packed ? std::string(kPacked) : std::to_string(packed.error().code) + " " + packed.error().message;
  (void)write_all(to, text);  // whoever should have read it has ended
}

/// What the packing process said, once it has ended.
Status read_outcome(int from) {
  std::string text(4096, '\0');
  size_t size = 0;
  for (ssize_t count = 1; count > 0 && size < text.size(); size += count > 0 ? static_cast<size_t>(count) : 0) {
    do count = ::read(from, text.data() + size, text.size() - size);
    while (count < 0 && errno == EINTR);
  }
  text.resize(size);
  if (text == kPacked) return ok();
  const size_t space = text.find(' ');
  if (space == std::string::npos) return Error{"the process that packs has died", EPIPE};
  return Error{text.substr(space + 1), std::atoi(text.c_str())};
}

/// Runs `pack` in a process of its own, which writes an archive to the standard input of this one, where `unpack` runs: each is shut in on its own side of the copy.
Result<Tally> copy(const std::function<Result<PackTally>(int out)>& pack, const std::function<Result<Tally>()>& unpack) {
  int archive[2];
  int outcome[2];
  if (::pipe2(archive, O_CLOEXEC) != 0 || ::pipe2(outcome, O_CLOEXEC) != 0) return sys_error("make a pipe");
  (void)::fcntl(archive[1], F_SETPIPE_SZ, kPipeBytes);  // a smaller one does, too
  const pid_t packer = ::fork();
  if (packer < 0) return sys_error("start a process that packs");
  if (packer == 0) {
    ::close(archive[0]);
    ::close(outcome[0]);
    const auto packed = pack(archive[1]);
    say_outcome(outcome[1], packed);
    ::_exit(packed ? 0 : 1);
  }
  ::close(archive[1]);
  ::close(outcome[1]);
  const UniqueFd said(outcome[0]);
  if (::dup2(archive[0], STDIN_FILENO) < 0) return sys_error("read from a pipe");
  ::close(archive[0]);
  const auto unpacked = unpack();
  // Where this side gave up, the other finds nobody that reads.
  ::close(STDIN_FILENO);
  const auto packed = read_outcome(said.get());
  // An archive that breaks off is a consequence of what made it do so; that nobody reads it, of why not.
  if (!packed && (unpacked || packed.error().code != EPIPE)) return packed.error();
  return unpacked;
}

void tell(JsonObject& report, const Tally& tally) {
  report.number("entries", static_cast<long long>(tally.entries)).number("bytes", static_cast<long long>(tally.bytes));
}

Owners owners_of(const Arguments& arguments, Owners otherwise) { return arguments.last("owners") == "archive" ? Owners::kArchive : otherwise; }

}  // namespace

Status copy_in(const Arguments& arguments, JsonObject& report) {
  const auto& words = arguments.words();
  const auto pack = [&](int out) -> Result<PackTally> {
    MOORING_TRY(enter_host_folder(words[0], words[1], Access::kRead));
    return pack_path("/" + words[2], words[3], out);
  };
  const auto unpack = [&]() -> Result<Tally> {
    StandardInput input;
    ArchiveSource source(input, UINT64_MAX);
    MOORING_TRY(enter_container(arguments, Access::kWrite, true));
    return unpack_into(words[4], source, owners_of(arguments, Owners::kRoot));
  };
  const auto tally = copy(pack, unpack);
  if (!tally) return tally.error();
  tell(report, *tally);
  return ok();
}

Status copy_out(const Arguments& arguments, JsonObject& report) {
  const auto& words = arguments.words();
  const auto pack = [&](int out) -> Result<PackTally> {
    MOORING_TRY(enter_container(arguments, Access::kRead, true));
    return pack_path(words[0], words[1], out);
  };
  const auto unpack = [&]() -> Result<Tally> {
    StandardInput input;
    ArchiveSource source(input, UINT64_MAX);
    MOORING_TRY(enter_host_folder(words[2], words[3], Access::kWrite));
    return unpack_into("/", source, owners_of(arguments, Owners::kMaker));
  };
  const auto tally = copy(pack, unpack);
  if (!tally) return tally.error();
  tell(report, *tally);
  return ok();
}

}  // namespace mooring
