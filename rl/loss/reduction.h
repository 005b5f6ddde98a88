// How per-token terms become one number, with counts over the whole optimizer mini-batch across
// micro-batches and ranks.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace covrl {

// Counts of the mini-batch, known before any backward.
struct ReductionCounts {
  double num_tokens = 0;     // loss tokens
  double num_sequences = 0;  // sequences with at least one loss token
  double max_length = 0;     // configured response length, for seq-mean-token-sum-norm
};

// Over the sequences with loss tokens, L a term, n their number, len_i the loss tokens of sequence
// i:
//   token-mean               sum L / sum_i len_i
//   seq-mean-token-sum       1/n sum_i sum_t L
//   seq-mean-token-mean      1/n sum_i 1/len_i sum_t L
//   seq-mean-token-sum-norm  1/n sum_i sum_t L / max_length   (Dr. GRPO, arXiv 2503.20783; verl
//   until early 2026 left out 1/n)
std::vector<std::string> reduction_names();

// Weight of each token, so that loss = sum over tokens of weight * term: 0 outside the mask.
// sequence_offsets: the micro-batch's cu_seqlens. Double. An empty mini-batch gives all zeros.
at::Tensor reduction_weights(const std::string& mode, const at::Tensor& mask_T,
                             const std::vector<int64_t>& sequence_offsets,
                             const ReductionCounts& counts);

// sum_t weight * term over weight != 0, in double, so that NaN outside the mask never leaks;
// gradient is weight.
at::Tensor reduce(const at::Tensor& term_T, const at::Tensor& weight_T);

}  // namespace covrl
