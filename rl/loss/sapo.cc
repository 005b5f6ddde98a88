// SAPO (arXiv 2511.20347): a gate 4/tau sigmoid(tau (r - 1)) instead of the clip. It has slope 1 at
// r = 1 and closes smoothly to both sides, faster for a larger tau.
#include <ATen/ATen.h>

#include "rl/loss/ratio.h"

namespace covrl {
namespace {

class SapoLoss : public PolicyLoss {
 public:
  explicit SapoLoss(const PolicyLossConfig& config) : config_(config) {}

  LossTerms terms(const LossInput& input) const override {
    const at::Tensor& advantage = input.advantage_T;
    const at::Tensor ratio = bounded_log_ratio(input).exp();
    const auto constant = [&](double value) { return at::full({}, value, ratio.options()); };
    const at::Tensor tau =
        at::where(advantage > 0, constant(config_.sapo_tau_pos), constant(config_.sapo_tau_neg));
    const at::Tensor gate = at::sigmoid(tau * (ratio - 1)) * (4 / tau);
    return surrogate_terms(-advantage * gate, advantage, /*cap=*/0);
  }

 private:
  PolicyLossConfig config_;
};

}  // namespace

std::unique_ptr<PolicyLoss> make_sapo_loss(const PolicyLossConfig& config) {
  return std::make_unique<SapoLoss>(config);
}

}  // namespace covrl
