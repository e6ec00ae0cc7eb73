#include "monitor/log_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "monitor/clock_text.h"
#include "monitor/durable_file.h"

namespace mooring {

Result<LogFiles> LogFiles::open(const std::string& path, unsigned count) {
  const size_t slash = path.rfind('/');
  auto folder = open_folder(path.substr(0, slash + 1));
  if (!folder) return folder.error();
  LogFiles files(std::move(*folder), path.substr(slash + 1), count);
  MOORING_TRY(files.open_current());
  return files;
}

ssize_t LogFiles::append(std::string_view text) {
  ssize_t written;
  do written = ::write(file_.get(), text.data(), text.size());
  while (written < 0 && errno == EINTR);
  if (written > 0 && size_ == 0) begun_ = now().tv_sec;
  if (written > 0) size_ += static_cast<size_t>(written);
  return written;
}

Status LogFiles::cut_off(size_t count) {
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) return sys_error("fstat " + name_);
  if (::ftruncate(file_.get(), info.st_size - static_cast<off_t>(count)) != 0) return sys_error("ftruncate " + name_);
  size_ -= count;
  return ok();
}

Status LogFiles::rotate() {
  if (file_) {
    MOORING_TRY(move_aside());
    file_.reset();
  }
  return open_current();
}

Status LogFiles::move_aside() {
  if (count_ == 1) return remove_file(folder_, name_);
  for (unsigned number = count_ - 1; number > 0; --number) {
    const std::string from = number == 1 ? name_ : numbered(number - 1);
    const std::string to = numbered(number);
    if (::renameat(folder_.get(), from.c_str(), folder_.get(), to.c_str()) != 0 && errno != ENOENT) return sys_error("rename " + from + " to " + to);
  }
  return ok();
}

Status LogFiles::open_current() {
  UniqueFd file(::openat(folder_.get(), name_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0640));
  if (!file) return sys_error("open " + name_);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return sys_error("fstat " + name_);
  size_t size = static_cast<size_t>(info.st_size);
  // A monitor that was killed in the midst of a write has left half a line: what comes now must not become part of it.
  char last = '\n';
  if (size > 0 && ::pread(file.get(), &last, 1, info.st_size - 1) != 1) return sys_error("read " + name_);
  if (last != '\n') {
    MOORING_TRY(write_all(file.get(), "\n"));
    ++size;
  }
  char time[kTimeTextLength];
  begun_ = ::pread(file.get(), time, sizeof time, 0) == sizeof time ? parse_time_text({time, sizeof time}) : -1;
  if (begun_ < 0) begun_ = now().tv_sec;  // it is empty, or not ours
  file_ = std::move(file);
  size_ = size;
  return ok();
}

std::string LogFiles::numbered(unsigned number) const { return name_ + "." + std::to_string(number); }

}  // namespace mooring
