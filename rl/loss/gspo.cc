// GSPO (arXiv 2507.18071): PPO's clip on the ratio of the whole sequence, s = exp(mean_t d_t). Each
// token carries the sequence's ratio in value and its own log-prob in gradient (GSPO-token with
// equal advantages is GSPO).
#include <ATen/ATen.h>

#include "rl/loss/ratio.h"

namespace covrl {
namespace {

class GspoLoss : public PolicyLoss {
 public:
  explicit GspoLoss(const PolicyLossConfig& config) : config_(config) {}

  LossTerms terms(const LossInput& input) const override {
    constexpr double kLargestExponent = 10;
    const at::Tensor& advantage = input.advantage_T;
    const at::Tensor logprob = inside(input, input.logprob_T);
    const at::Tensor mean = sequence_mean(input, log_ratio(input)).detach();
    const at::Tensor ratio =
        at::clamp_max(logprob - logprob.detach() + mean, kLargestExponent).exp();
    const at::Tensor plain = -advantage * ratio;
    const at::Tensor clipped =
        -advantage * at::clamp(ratio, 1 - config_.clip_ratio_low, 1 + config_.clip_ratio_high);
    LossTerms terms = surrogate_terms(at::maximum(plain, clipped), advantage, /*cap=*/0);
    terms.clipped_T = clipped > plain;
    return terms;
  }

 private:
  PolicyLossConfig config_;
};

}  // namespace

std::unique_ptr<PolicyLoss> make_gspo_loss(const PolicyLossConfig& config) {
  return std::make_unique<GspoLoss>(config);
}

}  // namespace covrl
