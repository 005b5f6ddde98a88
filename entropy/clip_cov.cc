// Clip-Cov (arXiv 2505.22617, section 4.2): a few tokens of large covariance learn nothing.
//
// Candidates: tokens with clip_cov_lb < covariance < clip_cov_ub (both strict, as in the reference
// implementation; the paper's interval is closed) that the policy loss does not clip already. Of
// them max(1, floor(clip_cov_ratio * tokens)) are chosen, uniformly and without replacement; all
// when there are fewer. The choice is a draw per token from (seed, update, token id), the smallest
// win: neither ranks, micro-batches nor order matter.
//
// A chosen token's policy-loss term becomes 0, in value and gradient, and still counts in the
// denominator, as in the reference implementation. The paper detaches it and keeps the value: the
// gradient is the same.
#include <ATen/ATen.h>

#include "entropy/covariance.h"
#include "entropy/covariance_control.h"

namespace covrl {
namespace {

class ClipCovControl : public CovarianceControl {
 public:
  explicit ClipCovControl(const EntropyControlConfig& config)
      : CovarianceControl(config, "clip_cov") {}

  at::Tensor select(const ControlView& view) override {
    const int64_t num_tokens = num_tokens_in(view.mask_T);
    const int64_t quota = quota_of(config_.clip_cov_ratio * set_point_.strength(), num_tokens);
    const at::Tensor clipped_T = view.clipped_T.to(view.device).contiguous();
    const kernels::CovarianceSelection selection = kernels::select_in_covariance_band(
        tokens_of(view), {config_.clip_cov_lb, config_.clip_cov_ub, clipped_T}, quota, view.seed,
        view.step);
    tally_.add(view, {num_tokens, quota}, selection);
    return selection.mask_T();
  }

  at::Tensor apply(const ControlTerms& terms) const override {
    return terms.selected_T.defined() ? at::where(terms.selected_T, 0.0, terms.loss_T)
                                      : terms.loss_T;
  }
  bool fuse(const at::Tensor& selected_T, FusedControls& fused) const override {
    return fused.drop(selected_T);
  }

  void report(Metrics& metrics) override {
    metrics.set("entropy_ctrl/cov_clipfrac", tally_.selected_frac());
    CovarianceControl::report(metrics);
  }
};

}  // namespace

std::unique_ptr<EntropyControl> make_clip_cov_control(const EntropyControlConfig& config) {
  return std::make_unique<ClipCovControl>(config);
}

}  // namespace covrl
