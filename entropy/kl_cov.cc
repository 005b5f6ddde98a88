// KL-Cov (arXiv 2505.22617, section 4.3): the tokens of largest covariance are held back.
//
// The max(1, floor(kl_cov_ratio * tokens)) tokens of largest covariance are selected, exactly, ties
// to the smaller token id, whatever the sign of the covariance; none when every covariance is 0 (a
// mini-batch whose rewards, or whose log-probs, are all equal). Their loss gains
//   ppo_kl_coef * penalty(d),  d = logprob - old_logprob,
// abs: |d| (the paper's code; its gradient is the sign of d, and 0 at d = 0); k1: d; k2: d^2 / 2;
// k3: exp(-d) + d - 1, the exponent bounded to +-20 and the value to +-10 (rl/loss/kl.h has the
// same estimators). In the first update after a rollout d is 0 everywhere: all but k1 are without
// effect there.
#include <ATen/ATen.h>

#include "core/error.h"
#include "entropy/covariance.h"
#include "entropy/covariance_control.h"

namespace covrl {
namespace {

using kernels::LogprobPenalty;

LogprobPenalty form_of(const std::string& kind) {
  if (kind == "abs") return LogprobPenalty::kAbs;
  if (kind == "k1") return LogprobPenalty::kK1;
  if (kind == "k2") return LogprobPenalty::kK2;
  COVRL_CHECK(kind == "k3", "kl_cov_penalty ", kind);
  return LogprobPenalty::kK3;
}

at::Tensor penalty(LogprobPenalty form, const at::Tensor& d) {
  if (form == LogprobPenalty::kAbs) return d.abs();
  if (form == LogprobPenalty::kK1) return d;
  if (form == LogprobPenalty::kK2) return d.square() / 2;
  return at::clamp(at::clamp(-d, -20, 20).exp() + d - 1, -10, 10);
}

class KlCovControl : public CovarianceControl {
 public:
  explicit KlCovControl(const EntropyControlConfig& config)
      : CovarianceControl(config, "kl_cov"), penalty_(form_of(config.kl_cov_penalty)) {}

  at::Tensor select(const ControlView& view) override {
    const int64_t num_tokens = num_tokens_in(view.mask_T),
                  quota = quota_of(config_.kl_cov_ratio, num_tokens);
    const kernels::CovarianceSelection selection =
        kernels::select_largest_covariance(tokens_of(view), quota);
    tally_.add(view, {num_tokens, quota}, selection);
    return selection.mask_T();
  }

  at::Tensor apply(const ControlTerms& terms) const override {
    if (!terms.selected_T.defined()) return terms.loss_T;
    const at::Tensor d = at::where(terms.selected_T, terms.logprob_T - terms.old_logprob_T, 0.0);
    return at::where(terms.selected_T, terms.loss_T + coefficient() * penalty(penalty_, d),
                     terms.loss_T);
  }
  bool fuse(const at::Tensor& selected_T, FusedControls& fused) const override {
    return fused.pull(selected_T, penalty_, coefficient());
  }

  void report(Metrics& metrics) override {
    if (tally_.any_selected()) metrics.set("entropy_ctrl/inert", tally_.unmoved_frac());
    CovarianceControl::report(metrics);
  }

 private:
  double coefficient() const { return config_.ppo_kl_coef * set_point_.strength(); }

  LogprobPenalty penalty_;
};

}  // namespace

std::unique_ptr<EntropyControl> make_kl_cov_control(const EntropyControlConfig& config) {
  return std::make_unique<KlCovControl>(config);
}

}  // namespace covrl
