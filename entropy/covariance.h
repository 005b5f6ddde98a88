// How much each token's update moves the entropy: its centred log-prob times its centred advantage
// (arXiv 2505.22617, Eq. 10). A likely token that did well, or an unlikely one that did badly, has
// a positive covariance, and learning from it lowers the entropy.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "entropy/control.h"

namespace covrl {

// The tokens inside the mask, by ascending global id, so that no sum over them depends on their
// order in the batch. The vectors run in parallel.
struct MaskedTokens {
  std::vector<int64_t> entries;  // in the [T] tensors
  std::vector<int64_t> ids;
  size_t size() const { return entries.size(); }

  // Their values of a [T] tensor.
  std::vector<double> values(const at::Tensor& values_T) const;
};
MaskedTokens masked_tokens(const at::Tensor& mask_T, const at::Tensor& token_id_T);

// (x_i - mean x)(a_i - mean a) of each token, means over all of them. Exactly 0 for every token
// when all advantages, or all log-probs, are equal. Not divided by standard deviations.
std::vector<double> covariances(const std::vector<double>& logprob,
                                const std::vector<double>& advantage);

// Tokens that a share of n stands for: floor(ratio * n), at least 1; 0 of none.
int64_t quota_of(double ratio, size_t num_tokens);

// bool [T]: true at the entries of the tokens with the given indices.
at::Tensor mask_of(const MaskedTokens& tokens, const std::vector<int64_t>& indices,
                   const at::Tensor& like_T);

}  // namespace covrl
