// PPO's clipped surrogate (arXiv 1707.06347) with separate bounds below and above (arXiv
// 2503.14476) and the dual clip (arXiv 1912.09729).
#include <ATen/ATen.h>

#include "rl/loss/ratio.h"

namespace covrl {
namespace {

class ClipLoss : public PolicyLoss {
 public:
  explicit ClipLoss(const PolicyLossConfig& config) : config_(config) {}

  LossTerms terms(const LossInput& input) const override {
    const at::Tensor& advantage = input.advantage_T;
    const at::Tensor ratio = bounded_log_ratio(input).exp();
    const at::Tensor plain = -advantage * ratio;
    const at::Tensor clipped =
        -advantage * at::clamp(ratio, 1 - config_.clip_ratio_low, 1 + config_.clip_ratio_high);
    LossTerms terms = surrogate_terms(at::maximum(plain, clipped), advantage, config_.ratio_cap());
    terms.clipped_T = clipped > plain;
    return terms;
  }

  bool fuse(kernels::PolicyLossTerms& terms) const override {
    terms.ratio_min = 1 - config_.clip_ratio_low;
    terms.ratio_max = 1 + config_.clip_ratio_high;
    terms.ratio_cap = config_.ratio_cap();
    return true;
  }

 private:
  PolicyLossConfig config_;
};

}  // namespace

std::unique_ptr<PolicyLoss> make_clip_loss(const PolicyLossConfig& config) {
  return std::make_unique<ClipLoss>(config);
}

}  // namespace covrl
