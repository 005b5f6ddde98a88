// CISPO (arXiv 2506.13585): -sg(clip(r)) A l. The ratio is clipped as a weight, so that every token
// keeps a gradient.
#include <ATen/ATen.h>

#include "rl/loss/ratio.h"

namespace covrl {
namespace {

class CispoLoss : public PolicyLoss {
 public:
  explicit CispoLoss(const PolicyLossConfig& config) : config_(config) {}

  LossTerms terms(const LossInput& input) const override {
    const at::Tensor ratio = bounded_log_ratio(input).exp().detach();
    const at::Tensor weight =
        at::clamp(ratio, 1 - config_.clip_ratio_low, 1 + config_.clip_ratio_high);
    LossTerms terms = surrogate_terms(-weight * input.advantage_T * inside(input, input.logprob_T),
                                      input.advantage_T, /*cap=*/0);
    terms.clipped_T = weight != ratio;
    return terms;
  }

 private:
  PolicyLossConfig config_;
};

}  // namespace

std::unique_ptr<PolicyLoss> make_cispo_loss(const PolicyLossConfig& config) {
  return std::make_unique<CispoLoss>(config);
}

}  // namespace covrl
