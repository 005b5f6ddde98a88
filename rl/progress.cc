#include "rl/progress.h"

#include <cmath>
#include <cstdio>

#include "core/log.h"

namespace covrl {

std::string format_duration(double seconds) {
  char text[32];
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 60) {
    std::snprintf(text, sizeof text, "%lld s", whole);
  } else if (whole < 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld min", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld h", whole / 3600, whole / 60 % 60);
  }
  return text;
}

void Progress::set_accuracy(const std::string& set, double accuracy) {
  char text[96];
  std::snprintf(text, sizeof text, "%s %4.1f %%", set.c_str(), 100 * accuracy);
  accuracy_ = text;
}

void Progress::show(int64_t step, const Metrics& metrics) {
  const auto value = [&](const char* name) {
    const double* found = metrics.find(name);
    return found ? *found : 0.0;
  };
  const double per_step = since_start_.seconds() / static_cast<double>(step - first_step_ + 1);
  const double remaining = per_step * static_cast<double>(total_steps_ - step);
  char line[256];
  std::snprintf(
      line, sizeof line,
      "step %*lld/%lld  reward %.3f  %s%sentropy %.3f  length %5.1f  %6.0f tokens/s  %s left",
      static_cast<int>(std::to_string(total_steps_).size()), static_cast<long long>(step),
      static_cast<long long>(total_steps_), value("critic/rewards/mean"), accuracy_.c_str(),
      accuracy_.empty() ? "" : "  ", value("rollout/entropy"), value("response_length/mean"),
      value("perf/throughput"), format_duration(remaining).c_str());
  log::progress(line);
}

}  // namespace covrl
