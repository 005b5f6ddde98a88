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

at::Tensor penalty(const std::string& kind, const at::Tensor& d) {
  if (kind == "abs") return d.abs();
  if (kind == "k1") return d;
  if (kind == "k2") return d.square() / 2;
  COVRL_CHECK(kind == "k3", "kl_cov_penalty ", kind);
  return at::clamp(at::clamp(-d, -20, 20).exp() + d - 1, -10, 10);
}

class KlCovControl : public CovarianceControl {
 public:
  explicit KlCovControl(const EntropyControlConfig& config) : CovarianceControl(config, "kl_cov") {}

  at::Tensor select(const ControlView& view) override {
    const kernels::CovarianceInput tokens =
        covariance_input(view.logprob_T, view.advantage_T, view.mask_T, view.token_id_T);
    const kernels::CovarianceMoments moments = kernels::covariance_moments(tokens);
    const bool any = kernels::any_covariance(tokens, moments);
    const int64_t quota = quota_of(config_.kl_cov_ratio, moments.count);
    const std::vector<int64_t> places =
        kernels::largest_covariance(tokens, moments, any ? quota : 0);
    tally_.add(view, {moments.count, any ? moments.count : 0, quota}, places);
    return mask_of(places, view.mask_T.numel());
  }

  at::Tensor apply(const ControlTerms& terms) const override {
    if (!terms.selected_T.defined()) return terms.loss_T;
    const at::Tensor d = at::where(terms.selected_T, terms.logprob_T - terms.old_logprob_T, 0.0);
    const at::Tensor pull =
        config_.ppo_kl_coef * set_point_.strength() * penalty(config_.kl_cov_penalty, d);
    return at::where(terms.selected_T, terms.loss_T + pull, terms.loss_T);
  }

  void report(Metrics& metrics) override {
    if (tally_.any_selected()) metrics.set("entropy_ctrl/inert", tally_.unmoved_frac());
    CovarianceControl::report(metrics);
  }
};

}  // namespace

std::unique_ptr<EntropyControl> make_kl_cov_control(const EntropyControlConfig& config) {
  return std::make_unique<KlCovControl>(config);
}

}  // namespace covrl
