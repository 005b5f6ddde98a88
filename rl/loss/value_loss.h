// The critic's loss per token, clipped as PPO's policy loss is (arXiv 1707.06347, as verl has it):
//   1/2 max((v - R)^2, (clip(v, v_old - c, v_old + c) - R)^2).
// Reduction lives elsewhere (rl/loss/reduction.h).
#pragma once

#include <ATen/core/Tensor.h>

namespace covrl {

// All [T]. Nothing outside the mask is read, in value or gradient.
struct ValueLossInput {
  at::Tensor value_T;      // of the current critic, with gradient
  at::Tensor old_value_T;  // at the start of the step, constant
  at::Tensor return_T;     // constant
  at::Tensor mask_T;       // bool
};

struct ValueLossTerms {
  at::Tensor loss_T;     // with gradient
  at::Tensor clipped_T;  // bool: the clipped branch is the larger one
};

// cliprange: c > 0; 0: no clip.
ValueLossTerms value_loss(const ValueLossInput& input, double cliprange);

}  // namespace covrl
