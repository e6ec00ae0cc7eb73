#include "environment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <unordered_set>

#include "unique_fd.h"

namespace mooring {
namespace {

constexpr std::string_view home = "HOME=";
constexpr std::size_t largest_passwd = 1 << 20;

// The file is the image's: what is no plain file, or endless, is none.
std::string read_passwd() {
  const UniqueFd file(open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status;
  std::string text;
  if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return text;
  char buffer[4096];
  for (ssize_t got; text.size() < largest_passwd && (got = read(file.get(), buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

// passwd(5): "name:password:uid:gid:comment:folder:shell"
std::string_view field(std::string_view line, int number) {
  for (; number > 0; --number) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return {};
    line.remove_prefix(colon + 1);
  }
  return line.substr(0, line.find(':'));
}

std::string folder_of(uid_t user) {
  const std::string text = read_passwd();
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::string_view id = field(line, 2), folder = field(line, 5);
    uid_t number = 0;
    const auto read = std::from_chars(id.data(), id.data() + id.size(), number);
    if (!id.empty() && read.ec == std::errc() && read.ptr == id.data() + id.size() && number == user && !folder.empty()) return std::string(folder);
  }
  return "/";
}

}  // namespace

void keep_last_values(std::vector<std::string>& env) {
  std::unordered_set<std::string> seen;
  std::vector<std::string> kept;
  for (auto one = env.rbegin(); one != env.rend(); ++one)
    if (seen.insert(one->substr(0, one->find('='))).second) kept.push_back(std::move(*one));
  std::reverse(kept.begin(), kept.end());
  env = std::move(kept);
}

void set_home(std::vector<std::string>& env, uid_t user) {
  const auto present = std::find_if(env.begin(), env.end(), [](const std::string& one) { return one.starts_with(home); });
  if (present != env.end() && present->size() > home.size()) return;
  std::string value = std::string(home) + folder_of(user);
  if (present == env.end()) env.push_back(std::move(value));
  else *present = std::move(value);
}

}  // namespace mooring
