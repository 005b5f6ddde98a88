#include "rl/entropy_watch.h"

#include "rl/metric_value.h"

namespace covrl {

void EntropyWatch::add(int64_t step, Metrics& row) {
  const std::optional<double> entropy = finite_metric(row, "rollout/entropy");
  if (entropy && previous_ && previous_->step == step - 1) {
    add_change(step, *entropy, row);
    add_point(step, *entropy, row);
  }
  previous_ = Previous{step, entropy, finite_metric(row, "entropy_ctrl/cov_mean"),
                       finite_metric(row, accuracy_)};
}

void EntropyWatch::replay(const std::vector<std::pair<int64_t, Metrics>>& rows) {
  for (const auto& [step, metrics] : rows) {
    Metrics row = metrics;
    add(step, row);
  }
}

void EntropyWatch::add_change(int64_t step, double entropy, Metrics& row) {
  if (!previous_->entropy || !previous_->covariance) return;
  const ChangeForecast::Outcome outcome =
      forecast_.add(*previous_->covariance, entropy - *previous_->entropy);
  changes_.push_back({step - 1, *previous_->covariance, outcome});
  row.set("entropy_ctrl/delta_measured", outcome.measured);
  if (outcome.predicted) row.set("entropy_ctrl/delta_predicted", *outcome.predicted);
  if (outcome.eta) row.set("entropy_ctrl/eta", *outcome.eta);
  if (outcome.correlation) row.set("entropy_ctrl/delta_correlation", *outcome.correlation);
}

void EntropyWatch::add_point(int64_t step, double entropy, Metrics& row) {
  if (!previous_->accuracy) return;
  points_.push_back({step - 1, entropy, *previous_->accuracy});
  const LawFit fit = fit_law(points_);
  if (!fit.reason_for_silence().empty()) return;
  row.set("ceiling/a", fit.a.value);
  row.set("ceiling/b", fit.b.value);
  row.set("ceiling/predicted", fit.ceiling().value);
  row.set("ceiling/stderr", fit.ceiling().standard_error);
  row.set("ceiling/r2", fit.r_squared);
}

}  // namespace covrl
