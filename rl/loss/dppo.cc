#include "rl/loss/dppo.h"

#include <ATen/ATen.h>

#include "rl/loss/ratio.h"

namespace covrl {

LossTerms dppo_terms(const LossInput& input, const at::Tensor& allowed_T, double cap) {
  at::Tensor ratio = bounded_log_ratio(input).exp().detach();
  if (cap > 0) ratio = at::clamp_max(ratio, cap);
  const at::Tensor term = -ratio * input.advantage_T * inside(input, input.logprob_T);
  LossTerms terms = surrogate_terms(at::where(allowed_T, term, 0.0), input.advantage_T, /*cap=*/0);
  terms.clipped_T = allowed_T.logical_not();
  return terms;
}

}  // namespace covrl
