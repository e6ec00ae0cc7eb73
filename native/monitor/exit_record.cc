#include "monitor/exit_record.h"

#include "monitor/clock_text.h"
#include "monitor/durable_file.h"
#include "monitor/json_text.h"

namespace mooring {

namespace {

constexpr const char* kName = "exit.json";

}  // namespace

ExitRecord ExitRecord::of(const siginfo_t& status) {
  ExitRecord record;
  if (status.si_code == CLD_EXITED) {
    record.exit_code = status.si_status;
  } else {
    record.signal = status.si_status;
    record.exit_code = 128 + status.si_status;
  }
  return record;
}

std::string ExitRecord::json() const {
  JsonObject object;
  object.number("exitCode", exit_code);
  if (signal == 0)
    object.null("signal");
  else
    object.number("signal", signal);
  return object.boolean("oomKilled", oom_killed).text("startedAt", time_string(started_at)).text("finishedAt", time_string(finished_at)).str();
}

Status write_exit_record(const ExitRecord& record, const UniqueFd& bundle, const UniqueFd& state_folder) {
  const std::string json = record.json();
  if (const auto written = replace_file(bundle, kName, json)) return written;
  return replace_file(state_folder, kName, json);
}

Status remove_exit_records(const UniqueFd& bundle, const UniqueFd& state_folder) {
  MOORING_TRY(remove_file(bundle, kName));
  return remove_file(state_folder, kName);
}

}  // namespace mooring
