// The surrogate -A r that PPO clips, left alone: what KL-Cov adds its penalty to (arXiv 2505.22617,
// whose code has no clip there). The dual clip is an option.
#include <ATen/ATen.h>

#include "rl/loss/ratio.h"

namespace covrl {
namespace {

class UnclippedLoss : public PolicyLoss {
 public:
  explicit UnclippedLoss(double cap) : cap_(cap) {}

  LossTerms terms(const LossInput& input) const override {
    const at::Tensor ratio = bounded_log_ratio(input).exp();
    return surrogate_terms(-input.advantage_T * ratio, input.advantage_T, cap_);
  }

  bool fuse(kernels::PolicyLossTerms& terms) const override {
    terms.ratio_cap = cap_;
    return true;
  }

 private:
  double cap_;
};

}  // namespace

std::unique_ptr<PolicyLoss> make_unclipped_loss(const PolicyLossConfig& config) {
  return std::make_unique<UnclippedLoss>(config.ratio_cap());
}

}  // namespace covrl
