// What a covariance control selected, summed up over the updates of a rollout step.
#pragma once

#include <cstdint>
#include <vector>

#include "core/metrics.h"
#include "entropy/control.h"
#include "kernels/covariance.h"

namespace covrl {

class SelectionTally {
 public:
  // How many tokens there were, and how many of them were wanted.
  struct Counts {
    int64_t tokens = 0, quota = 0;
  };
  // One selection, which may be under way on a device: nothing waits for it before the numbers
  // below are asked for. Sums are made in its order. Selections of one update (view.step) belong
  // together: those of its micro-batches.
  void add(const ControlView& view, const Counts& counts, kernels::CovarianceSelection selection);

  // Averages over the updates since the last report: entropy_ctrl/{candidates, selected_quota,
  // selected_tokens, selected_frac}; and, where a token was selected, over the selected tokens:
  // entropy_ctrl/{selected_adv_neg_frac, selected_logp_mean, selected_abs_log_ratio}. Starts anew.
  void report(Metrics& metrics);

  bool any_selected() { return sums().selected > 0; }
  // Share of the selected tokens whose log-prob is that of the behaviour policy to the bit.
  double unmoved_frac() { return sums().unmoved / sums().selected; }
  // Share of all tokens that was selected.
  double selected_frac() { return sums().tokens > 0 ? sums().selected / sums().tokens : 0; }

 private:
  struct Sums {
    double updates = 0, tokens = 0, candidates = 0, quota = 0, selected = 0;
    double negative_advantage = 0, logprob = 0, abs_log_ratio = 0, unmoved = 0;
  };
  struct Pending {
    kernels::CovarianceSelection selection;
    at::Tensor logprob_T, old_logprob_T, advantage_T;
  };
  void settle(const Pending& one);
  const Sums& sums();  // of all selections

  Sums sums_;
  std::vector<Pending> pending_;
  uint64_t last_step_ = 0;
};

}  // namespace covrl
