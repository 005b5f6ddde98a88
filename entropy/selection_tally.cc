#include "entropy/selection_tally.h"

#include <ATen/ATen.h>

#include <cmath>

#include "entropy/covariance.h"

namespace covrl {

void SelectionTally::add(const ControlView& view, const Counts& counts,
                         kernels::CovarianceSelection selection) {
  if (sums_.updates == 0 || view.step != last_step_) ++sums_.updates;
  last_step_ = view.step;
  sums_.tokens += static_cast<double>(counts.tokens);
  sums_.quota += static_cast<double>(counts.quota);
  pending_.push_back({std::move(selection), view.logprob_T, view.old_logprob_T, view.advantage_T});
}

void SelectionTally::settle(const Pending& one) {
  const auto [places, num_candidates] = one.selection.on_host();
  sums_.candidates += static_cast<double>(num_candidates);
  sums_.selected += static_cast<double>(places.size());
  const std::vector<double> advantage = values_at(one.advantage_T, places),
                            logprob = values_at(one.logprob_T, places),
                            old_logprob = values_at(one.old_logprob_T, places);
  for (size_t i = 0; i < places.size(); ++i) {
    sums_.negative_advantage += advantage[i] < 0;
    sums_.logprob += logprob[i];
    sums_.abs_log_ratio += std::abs(logprob[i] - old_logprob[i]);
    sums_.unmoved += logprob[i] == old_logprob[i];
  }
}

const SelectionTally::Sums& SelectionTally::sums() {
  for (const Pending& one : pending_) settle(one);
  pending_.clear();
  return sums_;
}

void SelectionTally::report(Metrics& metrics) {
  const Sums& all = sums();
  if (all.updates > 0) {
    metrics.set("entropy_ctrl/candidates", all.candidates / all.updates);
    metrics.set("entropy_ctrl/selected_quota", all.quota / all.updates);
    metrics.set("entropy_ctrl/selected_tokens", all.selected / all.updates);
  }
  if (all.tokens > 0) metrics.set("entropy_ctrl/selected_frac", selected_frac());
  if (all.selected > 0) {
    metrics.set("entropy_ctrl/selected_adv_neg_frac", all.negative_advantage / all.selected);
    metrics.set("entropy_ctrl/selected_logp_mean", all.logprob / all.selected);
    metrics.set("entropy_ctrl/selected_abs_log_ratio", all.abs_log_ratio / all.selected);
  }
  sums_ = {};
}

}  // namespace covrl
