// The entropy term of the 1-shot paper (arXiv 2504.20571) and of verl: loss = policy loss -
// coefficient * entropy.
#include "entropy/control.h"

namespace covrl {
namespace {

class BonusControl : public EntropyControl {
 public:
  explicit BonusControl(double coefficient) : coefficient_(coefficient) {}
  at::Tensor apply(const ControlTerms& terms) const override {
    return terms.loss_T - coefficient_ * terms.entropy_T;
  }
  bool fuse(const at::Tensor&, FusedControls& fused) const override {
    return fused.reward_entropy(coefficient_);
  }

 private:
  double coefficient_;
};

}  // namespace

std::unique_ptr<EntropyControl> make_bonus_control(const EntropyControlConfig& config) {
  return std::make_unique<BonusControl>(config.entropy_coeff);
}

}  // namespace covrl
