// GMPO (arXiv 2507.20673): the geometric mean of a sequence's ratios, each log-ratio clipped in the
// direction of the advantage. The term of the sequence, -mean_t(A) exp(mean_t d~_t), is given to
// each of its tokens, so that seq-mean-token-mean counts it once.
#include <ATen/ATen.h>

#include "rl/loss/ratio.h"

namespace covrl {
namespace {

class GeoMeanLoss : public PolicyLoss {
 public:
  explicit GeoMeanLoss(const PolicyLossConfig& config) : config_(config) {}

  LossTerms terms(const LossInput& input) const override {
    constexpr double kLargestExponent = 20;
    const at::Tensor sign = inside(input, input.advantage_T).sign();
    const at::Tensor plain = sign * log_ratio(input);
    const at::Tensor clipped =
        sign * at::clamp(log_ratio(input), -config_.clip_ratio_low, config_.clip_ratio_high);
    const at::Tensor exponent = sequence_mean(input, sign * at::minimum(plain, clipped));
    const at::Tensor ratio = at::clamp_max(exponent, kLargestExponent).exp();
    LossTerms terms = surrogate_terms(-sequence_mean(input, input.advantage_T) * ratio,
                                      input.advantage_T, /*cap=*/0);
    terms.clipped_T = clipped < plain;
    return terms;
  }

  // The geometric mean of the tokens' weights; a weight of 0 counts as 1e-10.
  at::Tensor weight(const LossInput& input, const at::Tensor& rollout_weight_T) const override {
    return sequence_mean(input, (rollout_weight_T + 1e-10).log()).exp();
  }

 private:
  PolicyLossConfig config_;
};

}  // namespace

std::unique_ptr<PolicyLoss> make_geo_mean_loss(const PolicyLossConfig& config) {
  return std::make_unique<GeoMeanLoss>(config);
}

}  // namespace covrl
