// DPPO by the total variation between the two policies, of which the sampled token shows p - p0.
#include <ATen/ATen.h>

#include "rl/loss/dppo.h"
#include "rl/loss/ratio.h"

namespace covrl {
namespace {

class DppoTvLoss : public PolicyLoss {
 public:
  explicit DppoTvLoss(const PolicyLossConfig& config) : config_(config) {}

  LossTerms terms(const LossInput& input) const override {
    const at::Tensor change =
        inside(input, input.logprob_T).detach().exp() - inside(input, input.old_logprob_T).exp();
    const at::Tensor allowed = at::where(input.advantage_T > 0, change <= config_.clip_ratio_high,
                                         change >= -config_.clip_ratio_low);
    return dppo_terms(input, allowed, config_.ratio_cap());
  }

 private:
  PolicyLossConfig config_;
};

}  // namespace

std::unique_ptr<PolicyLoss> make_dppo_tv_loss(const PolicyLossConfig& config) {
  return std::make_unique<DppoTvLoss>(config);
}

}  // namespace covrl
