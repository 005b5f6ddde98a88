// Entropy controls as kernels/token_policy_loss.h applies them in its one pass: tokens are dropped,
// then pulled back to the behaviour, then rewarded for their entropy.
//
// A control writes itself down in EntropyControl::fuse(). Where the pass has no place for it any
// more (another order, a second pull or reward) the answer is false, and apply() has to be used.
#pragma once

#include "kernels/token_policy_loss.h"

namespace covrl {

class FusedControls {
 public:
  FusedControls(kernels::TokenPolicyLossInput& input, kernels::PolicyLossTerms& terms)
      : input_(input), terms_(terms) {}

  // The tokens of `selected_T` (bool; undefined: none) lose their policy-loss term.
  bool drop(const at::Tensor& selected_T);
  // They gain coefficient * penalty(logprob - old_logprob).
  bool pull(const at::Tensor& selected_T, kernels::LogprobPenalty penalty, double coefficient);
  // Every token gains -coefficient * entropy.
  bool reward_entropy(double coefficient);

 private:
  kernels::TokenPolicyLossInput& input_;
  kernels::PolicyLossTerms& terms_;
};

}  // namespace covrl
