#include "rl/alarms.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "rl/metric_value.h"

namespace covrl {
namespace {

double largest(const std::vector<double>& window) {
  return *std::max_element(window.begin(), window.end());
}
double least(const std::vector<double>& window) {
  return *std::min_element(window.begin(), window.end());
}

// |slope| * (W - 1) / mean; 0 where the mean is.
double relative_change(const std::vector<double>& window) {
  const auto count = static_cast<double>(window.size());
  double sum = 0, slope_sum = 0, squares = 0;
  for (size_t i = 0; i < window.size(); ++i) {
    const double place = static_cast<double>(i) - (count - 1) / 2;
    sum += window[i];
    slope_sum += place * window[i];
    squares += place * place;
  }
  const double mean = sum / count;
  return mean > 0 ? std::abs(slope_sum / squares) * (count - 1) / mean : 0;
}

}  // namespace

void AlarmsConfig::describe(config::Visitor& v) {
  v.field("entropy_floor", entropy_floor,
          "Rings when rollout/entropy (nats) is below it in `window` steps in a row; null: off.",
          {0, 100});
  v.field("entropy_ceiling", entropy_ceiling,
          "Rings when rollout/entropy is above it in `window` steps in a row; null: off.",
          {0, 100});
  v.field(
      "entropy_slope", entropy_slope,
      "Rings when rollout/entropy rises or falls over `window` steps, by a fitted line, by more "
      "than this share of its mean there (2/3: doubled or halved); null: off.",
      {0, 100});
  v.field("degenerate_share", degenerate_share,
          "Rings when more than this share of the responses repeat one token or phrase over and "
          "over in `window` steps in a row; null: off.",
          {0, 1});
  v.field("window", window, "Steps in a row that make an alarm ring.", {1, 1e6});
  v.word("action", action,
         "warn: a line in the log and in alarms.jsonl; stop: also a checkpoint, and the run ends "
         "with exit status 3; rollback: the run ends at the newest checkpoint from before the "
         "alarm, what came after is given up.",
         {"warn", "stop", "rollback"});
  v.check(any() || *this == AlarmsConfig(), "action",
          "and window have no effect without an alarm; set entropy_floor, entropy_ceiling, "
          "entropy_slope or degenerate_share, or remove the keys");
  v.check(!entropy_slope || window >= 3, "window",
          concat("is ", window, ", too few steps for the line of entropy_slope; set 3 or more"));
  v.check(!entropy_floor || !entropy_ceiling || *entropy_floor < *entropy_ceiling, "entropy_floor",
          "must be below entropy_ceiling");
}

std::string alarm_text(const Alarm& alarm, int64_t window) {
  const std::string steps = window == 1
                                ? concat(" in step ", alarm.step)
                                : concat(" in steps ", alarm.step - window + 1, " to ", alarm.step);
  const std::string key = concat("alarms.", alarm.name, " = ", alarm.threshold);
  if (alarm.name == "entropy_slope")
    return concat("rollout/entropy changed by ", alarm.value, " of its mean", steps, ", more than ",
                  key);
  if (alarm.name == "entropy_floor")
    return concat("rollout/entropy was at most ", alarm.value, steps, ", below ", key);
  return concat(alarm.name == "entropy_ceiling" ? "rollout/entropy" : "rollout/degenerate",
                " was at least ", alarm.value, steps, ", above ", key);
}

Json alarm_row(const Alarm& alarm, const std::string& action) {
  return {{"step", alarm.step},           {"event", "ring"},
          {"alarm", alarm.name},          {"value", alarm.value},
          {"threshold", alarm.threshold}, {"action", action}};
}

Json rollback_row(const Alarm& alarm, int64_t kept_step, int64_t last_step) {
  return {{"step", kept_step},
          {"event", "rollback"},
          {"alarm", alarm.name},
          {"value", alarm.value},
          {"threshold", alarm.threshold},
          {"given_up", Json::array({kept_step + 1, last_step})}};
}

Alarms::Alarms(const AlarmsConfig& config)
    : window_(static_cast<size_t>(config.window)),
      recent_{{"rollout/entropy", 0, {}}, {"rollout/degenerate", 0, {}}} {
  const auto add_rule = [&](const char* name, const std::optional<double>& threshold, size_t recent,
                            double (*measure)(const std::vector<double>&), bool below) {
    if (threshold) rules_.push_back({name, *threshold, recent, measure, below, std::nullopt});
  };
  add_rule("entropy_floor", config.entropy_floor, 0, largest, /*below=*/true);
  add_rule("entropy_ceiling", config.entropy_ceiling, 0, least, /*below=*/false);
  add_rule("entropy_slope", config.entropy_slope, 0, relative_change, /*below=*/false);
  add_rule("degenerate_share", config.degenerate_share, 1, least, /*below=*/false);
}

std::vector<Alarm> Alarms::add(int64_t step, Metrics& row) {
  remember(step, row);
  std::vector<Alarm> begun;
  for (Rule& rule : rules_) {
    const std::vector<double>& values = recent_[rule.recent].values;
    const bool full = values.size() == window_;
    const double value = full ? rule.measure(values) : 0;
    const bool rings = full && (rule.below ? value < rule.threshold : value > rule.threshold);
    if (!rings) rule.ringing.reset();
    if (rings && !rule.ringing) {
      rule.ringing = Alarm{rule.name, step, value, rule.threshold};
      begun.push_back(*rule.ringing);
    }
    row.set("alarm/" + rule.name, rings ? 1 : 0);
  }
  return begun;
}

void Alarms::remember(int64_t step, const Metrics& row) {
  for (Recent& recent : recent_) {
    const std::optional<double> value = finite_metric(row, recent.metric);
    if (!value || recent.step != step - 1) recent.values.clear();
    recent.step = step;
    if (!value) continue;
    if (recent.values.size() == window_) recent.values.erase(recent.values.begin());
    recent.values.push_back(*value);
  }
}

void Alarms::replay(const std::vector<std::pair<int64_t, Metrics>>& rows) {
  for (const auto& [step, metrics] : rows) {
    Metrics row = metrics;
    add(step, row);
  }
}

std::optional<Alarm> Alarms::ringing() const {
  std::optional<Alarm> first;
  for (const Rule& rule : rules_)
    if (rule.ringing && (!first || rule.ringing->step < first->step)) first = rule.ringing;
  return first;
}

}  // namespace covrl
