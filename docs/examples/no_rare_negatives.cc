// An entropy control of one's own: unlikely tokens of responses that did badly learn nothing, so
// that the policy is not pushed away from what it has hardly tried.
#include <ATen/ATen.h>

#include "entropy/control.h"

namespace covrl {
namespace {

constexpr double kRareLogprob = -4.6;  // a probability of 1 %

class NoRareNegatives : public EntropyControl {
 public:
  bool selects() const override { return true; }

  // Once per optimizer update, over the whole mini-batch.
  at::Tensor select(const ControlView& view) override {
    const at::Tensor selected_T =
        view.mask_T & (view.logprob_T < kRareLogprob) & (view.advantage_T < 0);
    num_selected_ += selected_T.sum().item<double>();
    return selected_T;
  }

  // Once per micro-batch, on the tokens of the selection that are in it.
  at::Tensor apply(const ControlTerms& terms) const override {
    if (!terms.selected_T.defined()) return terms.loss_T;
    return at::where(terms.selected_T, 0.0, terms.loss_T);
  }

  // Once per rollout step.
  void report(Metrics& metrics) override {
    metrics.set("entropy_ctrl/rare_negatives", num_selected_);
    num_selected_ = 0;
  }

 private:
  double num_selected_ = 0;
};

}  // namespace

std::unique_ptr<EntropyControl> make_no_rare_negatives_control(const EntropyControlConfig&) {
  return std::make_unique<NoRareNegatives>();
}

}  // namespace covrl
