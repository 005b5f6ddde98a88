// Learning from the tokens of high entropy alone (arXiv 2506.01939, "beyond the 80/20 rule"): the
// max(1, floor(top_entropy_ratio * tokens)) tokens of largest entropy keep their policy-loss term,
// exactly, ties to the smaller token id; that of the others becomes 0, in value and gradient. All
// tokens stay in the denominator of the loss.
#include <ATen/ATen.h>

#include <algorithm>

#include "entropy/control.h"
#include "entropy/covariance.h"
#include "entropy/top_k.h"

namespace covrl {
namespace {

class TopEntropyControl : public EntropyControl {
 public:
  explicit TopEntropyControl(double ratio) : ratio_(ratio) {}

  bool selects() const override { return true; }

  // The tokens that are kept.
  at::Tensor select(const ControlView& view) override {
    const int64_t num_tokens = num_tokens_in(view.mask_T);
    const std::vector<int64_t> kept =
        top_k(view.entropy_T, view.mask_T, view.token_ids, quota_of(ratio_, num_tokens));
    if (!kept.empty()) {
      const std::vector<double> entropy = values_at(view.entropy_T, kept);
      ++num_selections_;
      frac_sum_ += static_cast<double>(kept.size()) / static_cast<double>(num_tokens);
      threshold_sum_ += *std::min_element(entropy.begin(), entropy.end());
    }
    return mask_of(kept, view.mask_T.numel());
  }

  at::Tensor apply(const ControlTerms& terms) const override {
    return terms.selected_T.defined() ? at::where(terms.selected_T, terms.loss_T, 0.0)
                                      : terms.loss_T;
  }
  bool fuse(const at::Tensor& selected_T, FusedControls& fused) const override {
    return fused.drop(selected_T.defined() ? selected_T.logical_not() : selected_T);
  }

  void report(Metrics& metrics) override {
    if (num_selections_ > 0) {
      metrics.set("entropy_ctrl/top_entropy_kept_frac", frac_sum_ / num_selections_);
      metrics.set("entropy_ctrl/top_entropy_threshold", threshold_sum_ / num_selections_);
    }
    num_selections_ = frac_sum_ = threshold_sum_ = 0;
  }

 private:
  double ratio_;
  double num_selections_ = 0, frac_sum_ = 0, threshold_sum_ = 0;
};

}  // namespace

std::unique_ptr<EntropyControl> make_top_entropy_control(const EntropyControlConfig& config) {
  return std::make_unique<TopEntropyControl>(config.top_entropy_ratio);
}

}  // namespace covrl
