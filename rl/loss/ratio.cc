#include "rl/loss/ratio.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace covrl {

at::Tensor inside(const LossInput& input, const at::Tensor& value_T) {
  return at::where(input.mask_T, value_T, 0.0);
}

at::Tensor log_ratio(const LossInput& input) {
  return inside(input, input.logprob_T - input.old_logprob_T);
}

at::Tensor bounded_log_ratio(const LossInput& input) {
  constexpr double kBound = 20;
  return at::clamp(log_ratio(input), -kBound, kBound);
}

LossTerms surrogate_terms(const at::Tensor& surrogate_T, const at::Tensor& advantage_T,
                          double cap) {
  LossTerms terms;
  terms.loss_T = surrogate_T;
  terms.clipped_T = at::zeros_like(surrogate_T, at::kBool);
  terms.dual_clipped_T = terms.clipped_T;
  if (cap > 0) {
    const at::Tensor bound = -advantage_T * cap;
    terms.dual_clipped_T = (advantage_T < 0) & (surrogate_T > bound);
    terms.loss_T = at::where(terms.dual_clipped_T, bound, surrogate_T);
  }
  return terms;
}

at::Tensor sequence_mean(const LossInput& input, const at::Tensor& value_T) {
  COVRL_CHECK(!input.offsets.empty() && input.offsets.back() == value_T.numel(),
              "a mean over sequences without their offsets");
  const int64_t num_sequences = static_cast<int64_t>(input.offsets.size()) - 1;
  const at::Tensor offsets = at::tensor(input.offsets, at::kLong);
  const at::Tensor sequence_T =
      at::repeat_interleave(offsets.diff()).to(value_T.device());  // of each token
  const auto sum = [&](const at::Tensor& term_T) {
    return at::zeros({num_sequences}, term_T.options()).index_add(0, sequence_T, term_T);
  };
  const at::Tensor length = sum(input.mask_T.to(at::kDouble)).clamp_min(1);
  const at::Tensor mean = sum(inside(input, value_T).to(at::kDouble)) / length;
  return mean.index_select(0, sequence_T).to(value_T.scalar_type());
}

}  // namespace covrl
