#include "entropy/selection_tally.h"

#include <ATen/ATen.h>

#include <cmath>

#include "entropy/covariance.h"

namespace covrl {

void SelectionTally::add(const ControlView& view, const Counts& counts,
                         const std::vector<int64_t>& places) {
  if (sums_.updates == 0 || view.step != last_step_) ++sums_.updates;
  last_step_ = view.step;
  sums_.tokens += static_cast<double>(counts.tokens);
  sums_.candidates += static_cast<double>(counts.candidates);
  sums_.quota += static_cast<double>(counts.quota);
  sums_.selected += static_cast<double>(places.size());
  const std::vector<double> advantage = values_at(view.advantage_T, places),
                            logprob = values_at(view.logprob_T, places),
                            old_logprob = values_at(view.old_logprob_T, places);
  for (size_t i = 0; i < places.size(); ++i) {
    sums_.negative_advantage += advantage[i] < 0;
    sums_.logprob += logprob[i];
    sums_.abs_log_ratio += std::abs(logprob[i] - old_logprob[i]);
    sums_.unmoved += logprob[i] == old_logprob[i];
  }
}

void SelectionTally::report(Metrics& metrics) {
  if (sums_.updates > 0) {
    metrics.set("entropy_ctrl/candidates", sums_.candidates / sums_.updates);
    metrics.set("entropy_ctrl/selected_quota", sums_.quota / sums_.updates);
    metrics.set("entropy_ctrl/selected_tokens", sums_.selected / sums_.updates);
  }
  if (sums_.tokens > 0) metrics.set("entropy_ctrl/selected_frac", selected_frac());
  if (sums_.selected > 0) {
    metrics.set("entropy_ctrl/selected_adv_neg_frac", sums_.negative_advantage / sums_.selected);
    metrics.set("entropy_ctrl/selected_logp_mean", sums_.logprob / sums_.selected);
    metrics.set("entropy_ctrl/selected_abs_log_ratio", sums_.abs_log_ratio / sums_.selected);
  }
  sums_ = {};
}

}  // namespace covrl
