#include "monitor/state_file.h"

#include "monitor/clock_text.h"
#include "monitor/durable_file.h"
#include "monitor/version.h"

namespace mooring {

namespace {

constexpr const char* kName = "state.json";

}  // namespace

Status StateFile::write_creating(const UniqueFd& folder) const { return replace_file(folder, kName, common("creating").str()); }

Status StateFile::write_running(const UniqueFd& folder, const ProcessIdentity& init, const timespec& started_at) const {
  JsonObject state = common("running");
  add_identity(state, init).text("startedAt", time_string(started_at));
  return replace_file(folder, kName, state.str());
}

Status StateFile::remove(const UniqueFd& folder) { return remove_file(folder, kName); }

JsonObject StateFile::common(const char* status) const {
  JsonObject monitor, state;
  add_identity(monitor, monitor_);
  return state.text("ociVersion", kRuntimeSpecVersion).text("id", id_).text("status", status).text("bundle", bundle_).object("monitor", monitor);
}

}  // namespace mooring
