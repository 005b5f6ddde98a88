#include "rl/saturation.h"

#include "core/error.h"
#include "rl/figure_text.h"
#include "rl/metric_value.h"
#include "rl/report/report_tables.h"

namespace covrl {
namespace {

constexpr size_t kWindow = 5;       // steps
constexpr double kRounding = 1e-9;  // of their sum: 97, 100, 100, 98 and 100 % reach 99 %

}  // namespace

std::optional<double> training_accuracy(const Metrics& row) {
  const std::optional<double> correct = finite_metric(row, "verifier/correct"),
                              wrong = finite_metric(row, "verifier/wrong"),
                              unparsed = finite_metric(row, "verifier/unparsed");
  if (!correct || !wrong || !unparsed) return std::nullopt;
  const double judged = *correct + *wrong + *unparsed;
  if (!(judged > 0)) return std::nullopt;
  return *correct / judged;
}

void SaturationWatch::add(int64_t step, Metrics& row) {
  const std::optional<double> accuracy = training_accuracy(row);
  if (!accuracy) return;
  if (recent_.size() == kWindow) recent_.erase(recent_.begin());
  recent_.push_back(*accuracy);
  double sum = 0;
  for (const double value : recent_) sum += value;
  if (recent_.size() < kWindow || sum < accuracy_ * static_cast<double>(kWindow) - kRounding)
    since_.reset();
  else if (!since_)
    since_ = step;
  if (since_) row.set("train/saturated_since", static_cast<double>(*since_));
}

void SaturationWatch::replay(const MetricRows& rows) {
  for (const auto& [step, metrics] : rows) {
    Metrics row = metrics;
    add(step, row);
  }
}

std::optional<MovedSince> moved_since(const MetricRows& rows, const std::string& metric,
                                      int64_t since) {
  std::optional<MovedSince> moved;
  bool any_later = false;
  for (const auto& [step, row] : rows) {
    const std::optional<double> value = finite_metric(row, metric);
    if (!value) continue;
    if (!moved || step <= since) {
      moved = MovedSince{*value, *value, *value, step, step, step};
      continue;
    }
    if (!any_later || *value > moved->best) moved->best = *value, moved->best_step = step;
    moved->last = *value, moved->last_step = step;
    any_later = true;
  }
  return any_later ? moved : std::nullopt;
}

std::string saturation_text(const MetricRows& rows, double accuracy,
                            const std::string& test_metric) {
  SaturationWatch watch(accuracy);
  watch.replay(rows);
  if (!watch.since()) return "";
  std::string text = concat("Saturated since step ", *watch.since(), " (training accuracy ",
                            100 * accuracy, " % or more).");
  const std::optional<MovedSince> moved = moved_since(rows, test_metric, *watch.since());
  if (!moved) return text;
  return text + concat(" Since then: ", accuracy_name(test_metric), " ",
                       figure(100 * moved->before, 1), " -> ", figure(100 * moved->last, 1),
                       " %, best ", figure(100 * moved->best, 1), " % at step ", moved->best_step);
}

}  // namespace covrl
