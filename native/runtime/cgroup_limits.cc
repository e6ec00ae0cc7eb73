#include "cgroup_limits.h"

#include <fcntl.h>
#include <unistd.h>

#include "files.h"

namespace mooring {

Status Limits::set(const char* file, const std::optional<std::string>& value, const char* kernel_default) const {
  if (value) return write(file, *value);
  return reused_ ? write(file, kernel_default) : ok();
}

Status Limits::write(const std::string& file, const std::string& value) const { return write_file(folder_, file, value, label_ + "/" + file); }

Status Limits::write(const std::string& file, const std::string& value, const char* field) const {
  if (!has(file.c_str())) return Error{std::string("linux.resources.") + field + ": this kernel's cgroups have no " + file, ENOENT};
  return write(file, value);
}

Result<std::string> Limits::read(const std::string& file) const {
  auto text = read_file(folder_, file);
  if (!text) return Error{label_ + "/" + text.error().message, text.error().code};
  while (text->ends_with('\n')) text->pop_back();
  return text;
}

bool Limits::has(const char* file) const { return faccessat(folder_, file, F_OK, 0) == 0; }

Error no_such_limit(const char* field, bool unified) { return Error{std::string("linux.resources.") + field + ": cgroup version " + (unified ? "2" : "1") + " has no such limit"}; }

Status limit_huge_pages(const Limits& limits, bool unified, const Resources& resources) {
  for (const auto& [size, limit] : resources.huge_pages) {
    const std::string file = "hugetlb." + size + (unified ? ".max" : ".limit_in_bytes"), reserved = "hugetlb." + size + ".rsvd" + (unified ? ".max" : ".limit_in_bytes");
    if (!limits.has(file.c_str())) return Error{"linux.resources.hugepageLimits: this host has no huge pages of " + size, ENOENT};
    MOORING_TRY(limits.write(file, std::to_string(limit)));
    // Reservations too, since a process that reserves more than it may use dies of SIGBUS.
    if (limits.has(reserved.c_str())) MOORING_TRY(limits.write(reserved, std::to_string(limit)));
  }
  return ok();
}

Status limit_rdma(const Limits& limits, const Resources& resources) {
  for (const auto& [device, limit] : resources.rdma) {
    std::string line = device;
    if (limit.handles) line += " hca_handle=" + std::to_string(*limit.handles);
    if (limit.objects) line += " hca_object=" + std::to_string(*limit.objects);
    if (line != device) MOORING_TRY(limits.write("rdma.max", line, "rdma"));
  }
  return ok();
}

Status check_usage(const Limits& limits, const char* file, const Resources& resources) {
  if (!resources.memory_check_before_update || !resources.memory_limit || *resources.memory_limit < 0) return ok();
  auto used = limits.read(file);
  if (!used) return std::move(used.error());
  if (std::stoll(*used) <= *resources.memory_limit) return ok();
  return Error{"linux.resources.memory.limit: " + *used + " bytes are in use, which is above " + std::to_string(*resources.memory_limit), EBUSY};
}

}  // namespace mooring
