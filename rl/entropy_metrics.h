// What the scored batch says about the policy's entropy, before any update.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/metrics.h"
#include "rl/batch.h"

namespace covrl {

// Mean over the tokens inside the mask, in double; 0 of none.
double token_mean(const at::Tensor& values_T, const at::Tensor& mask_T);

// entropy/response_mean: mean over the responses of their token means, as the entropy paper
// measures it (arXiv 2505.22617, Eq. 5); entropy/token_mean: every token counts the same;
// actor/entropy_unit_temperature: token mean at temperature 1, when unit_entropy is filled; and the
// covariance of the old log-probs with the advantages (entropy/statistics.h).
void add_entropy_metrics(const Batch& batch, Metrics& metrics);

}  // namespace covrl
