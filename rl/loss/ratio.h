// What policy losses are made of: the log-ratio that they start from, the dual clip, and means over
// sequences.
#pragma once

#include "rl/loss/policy_loss.h"

namespace covrl {

// log(policy / old policy) per token, bounded to +-20; 0 outside the mask, where neither value nor
// gradient is read.
at::Tensor bounded_log_ratio(const LossInput& input);
// The same without the bound, for losses that bound its mean over a sequence.
at::Tensor log_ratio(const LossInput& input);

// `value_T` inside the mask, 0 outside, where neither value nor gradient is read.
at::Tensor inside(const LossInput& input, const at::Tensor& value_T);

// Terms -A r that nothing clips; `cap` (0: none) is the dual clip's, which bounds the loss of a
// negative advantage at cap |A| (arXiv 1912.09729).
LossTerms surrogate_terms(const at::Tensor& surrogate_T, const at::Tensor& advantage_T, double cap);

// Mean over the tokens of each sequence inside the mask, given to every token of the sequence; 0
// for a sequence without any. Summed in double; with gradient.
at::Tensor sequence_mean(const LossInput& input, const at::Tensor& value_T);

}  // namespace covrl
