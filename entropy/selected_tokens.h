// The selected tokens of a mini-batch that people look at: those of the largest covariance.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "entropy/control.h"

namespace covrl {

struct SelectedToken {
  int64_t entry = 0;  // in the view's [T] tensors
  double logprob = 0, old_logprob = 0, advantage = 0, covariance = 0;
};

// At most `limit` of the tokens in `selected_T` (bool [T]), by falling covariance over all tokens
// of the view, equal ones by id.
std::vector<SelectedToken> most_covariant(const ControlView& view, const at::Tensor& selected_T,
                                          int64_t limit);

}  // namespace covrl
