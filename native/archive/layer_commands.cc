#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>

#include "archive/commands.h"
#include "archive/tar_writer.h"
#include "archive/tree_packer.h"
#include "archive/upper.h"
#include "archive/upper_cleaner.h"

namespace mooring {

namespace {
/// Where it is told that standard output, a file, has grown.
constexpr int kGrowth = 3;
}  // namespace

Status flush(const Arguments& arguments, JsonObject&) {
  const std::string& path = arguments.words()[0];
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return sys_error("die with the parent");
  const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::syncfs(folder.get()) != 0) return sys_error("flush the file system of " + path);
  return ok();
}

Status clean(const Arguments& arguments, JsonObject& report) {
  const auto upper = enter_upper(arguments, Access::kWrite);
  if (!upper) return upper.error();
  report.number("omitted", static_cast<long long>(upper->omitted.size()));
  return clean_upper(upper->folder.get(), upper->omitted, upper->latest);
}

Status pack(const Arguments& arguments, JsonObject& report) {
  const auto upper = enter_upper(arguments, Access::kRead);
  if (!upper) return upper.error();
  Sha256 hash;
  const bool hashes = arguments.last("digest").has_value();
  TarWriter tar({.out = STDOUT_FILENO, .growth = arguments.last("growth") ? kGrowth : -1, .hash = hashes ? &hash : nullptr});
  TreePacker packer(tar, {.layer = true, .latest = upper->latest});
  MOORING_TRY(walk_tree({.top = upper->folder.get(), .omitted = upper->omitted}, packer));
  MOORING_TRY(tar.finish());
  if (hashes) report.text("digest", hash.digest());
  report.number("entries", static_cast<long long>(packer.tally().entries)).number("bytes", static_cast<long long>(packer.tally().bytes));
  return ok();
}

}  // namespace mooring
