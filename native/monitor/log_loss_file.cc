#include "monitor/log_loss_file.h"

#include "monitor/clock_text.h"
#include "monitor/durable_file.h"
#include "monitor/json_text.h"

namespace mooring {

namespace {

constexpr const char* kName = "log-loss.json";

}  // namespace

Status LogLossFile::remove(const UniqueFd& folder) { return remove_file(folder, kName); }

void LogLossFile::tell(const UniqueFd& folder, const LogLoss& loss) {
  if (loss == told_ || monotonic_ms() - told_at_ms_ < kEveryMs) return;
  told_at_ms_ = monotonic_ms();
  JsonObject text;
  text.number("lines", static_cast<long long>(loss.lines)).number("bytes", static_cast<long long>(loss.bytes));
  if (replace_file(folder, kName, text.str())) told_ = loss;
}

}  // namespace mooring
