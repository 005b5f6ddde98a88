// token_logprob on the CPU: the vocabulary in tiles, the tokens in tiles; at most one tile of
// logits exists at a time (a thread). Products of bfloat16 are those of gemm_cpu.h; for them the
// gradient of the logits is rounded to bfloat16, as a layer that has bfloat16 logits gets it.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "kernels/softmax_row.h"

namespace covrl::kernels {

// Statistics of each token's row and the logit of its target.
struct ScoredRows {
  std::vector<SoftmaxRow> rows;     // [T]
  std::vector<float> target_logit;  // [T]
};

// hidden [T,D], head [V,D]: float32, bfloat16 or (through copies in float32) float16; targets in
// range.
ScoredRows score_rows(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                      const int64_t* targets, float inverse_temperature);

// The same over logits [T,V] that exist.
ScoredRows score_logits(const at::Tensor& logits_TV, const int64_t* targets,
                        float inverse_temperature);

// Gradients in the dtypes of hidden and head; one that is not wanted comes back undefined.
struct HiddenHeadGradient {
  at::Tensor hidden_TD;
  at::Tensor head_VD;
};
enum class Wanted { kHidden, kHead, kBoth };
HiddenHeadGradient hidden_head_gradient(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                                        const int64_t* targets,
                                        const std::vector<SoftmaxRowGradient>& rows, Wanted wanted);

// In the dtype of the logits; no memory beyond it.
at::Tensor logits_gradient(const at::Tensor& logits_TV, const int64_t* targets,
                           const std::vector<SoftmaxRowGradient>& rows);

}  // namespace covrl::kernels
