// DPPO by the KL between the two policies, of which the sampled token shows that between two coins:
// p0 ln(p0 / p) + (1 - p0) ln((1 - p0) / (1 - p)).
#include <ATen/ATen.h>

#include "rl/loss/dppo.h"
#include "rl/loss/ratio.h"

namespace covrl {
namespace {

class DppoKlLoss : public PolicyLoss {
 public:
  explicit DppoKlLoss(const PolicyLossConfig& config) : config_(config) {}

  LossTerms terms(const LossInput& input) const override {
    constexpr double kEpsilon = 1e-8;  // keeps the logarithm finite at probability 1
    const auto probability = [](const at::Tensor& logprob) {
      return at::clamp_max(logprob.exp(), 1);
    };
    const at::Tensor logprob = inside(input, input.logprob_T).detach(),
                     old_logprob = inside(input, input.old_logprob_T);
    const at::Tensor p = probability(logprob), p0 = probability(old_logprob);
    const at::Tensor divergence =
        p0 * (old_logprob - logprob) + (1 - p0) * ((1 - p0 + kEpsilon) / (1 - p + kEpsilon)).log();
    const at::Tensor allowed =
        at::where(input.advantage_T > 0, (divergence <= config_.clip_ratio_high) | (p <= p0),
                  (divergence <= config_.clip_ratio_low) | (p >= p0));
    return dppo_terms(input, allowed, config_.ratio_cap());
  }

 private:
  PolicyLossConfig config_;
};

}  // namespace

std::unique_ptr<PolicyLoss> make_dppo_kl_loss(const PolicyLossConfig& config) {
  return std::make_unique<DppoKlLoss>(config);
}

}  // namespace covrl
