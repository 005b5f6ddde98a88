// What a covariance control selected, summed up over the updates of a rollout step.
#pragma once

#include <cstdint>
#include <vector>

#include "core/metrics.h"
#include "entropy/control.h"

namespace covrl {

class SelectionTally {
 public:
  // How many tokens there were, how many of them could be selected, and how many were wanted.
  struct Counts {
    int64_t tokens = 0, candidates = 0, quota = 0;
  };
  // One selection: `places` in the view's [T] tensors. Sums are made in their order. Selections of
  // one update (view.step) belong together: those of its micro-batches.
  void add(const ControlView& view, const Counts& counts, const std::vector<int64_t>& places);

  // Averages over the updates since the last report: entropy_ctrl/{candidates, selected_quota,
  // selected_tokens, selected_frac}; and, where a token was selected, over the selected tokens:
  // entropy_ctrl/{selected_adv_neg_frac, selected_logp_mean, selected_abs_log_ratio}. Starts anew.
  void report(Metrics& metrics);

  bool any_selected() const { return sums_.selected > 0; }
  // Share of the selected tokens whose log-prob is that of the behaviour policy to the bit.
  double unmoved_frac() const { return sums_.unmoved / sums_.selected; }
  // Share of all tokens that was selected.
  double selected_frac() const { return sums_.tokens > 0 ? sums_.selected / sums_.tokens : 0; }

 private:
  struct Sums {
    double updates = 0, tokens = 0, candidates = 0, quota = 0, selected = 0;
    double negative_advantage = 0, logprob = 0, abs_log_ratio = 0, unmoved = 0;
  };
  Sums sums_;
  uint64_t last_step_ = 0;
};

}  // namespace covrl
