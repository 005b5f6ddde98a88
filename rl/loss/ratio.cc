#include "rl/loss/ratio.h"

#include <ATen/ATen.h>

namespace covrl {

at::Tensor bounded_log_ratio(const LossInput& input) {
  constexpr double kBound = 20;
  const at::Tensor difference = at::where(input.mask_T, input.logprob_T - input.old_logprob_T, 0.0);
  return at::clamp(difference, -kBound, kBound);
}

}  // namespace covrl
