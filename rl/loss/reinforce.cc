// REINFORCE: -A l. Off-policy weights (rl/rollout_correction.h) make it importance-weighted.
#include <ATen/ATen.h>

#include "rl/loss/ratio.h"

namespace covrl {
namespace {

class ReinforceLoss : public PolicyLoss {
 public:
  LossTerms terms(const LossInput& input) const override {
    return surrogate_terms(-input.advantage_T * inside(input, input.logprob_T), input.advantage_T,
                           /*cap=*/0);
  }
};

}  // namespace

std::unique_ptr<PolicyLoss> make_reinforce_loss(const PolicyLossConfig&) {
  return std::make_unique<ReinforceLoss>();
}

}  // namespace covrl
