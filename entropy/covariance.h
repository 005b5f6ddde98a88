// How much each token's update moves the entropy: its centred log-prob times its centred advantage
// (arXiv 2505.22617, Eq. 10; kernels/covariance.h). A likely token that did well, or an unlikely
// one that did badly, has a positive covariance, and learning from it lowers the entropy.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "kernels/covariance.h"

namespace covrl {

// The tokens inside a mask, contiguous as the kernels want them. log-prob and advantage may be of
// any floating type: float64 unless both are float32. The result is on `device`.
kernels::CovarianceInput covariance_input(const at::Tensor& logprob_T,
                                          const at::Tensor& advantage_T, const at::Tensor& mask_T,
                                          const kernels::TokenIds& ids,
                                          at::Device device = at::kCPU);

// Tokens inside a mask on the host.
int64_t num_tokens_in(const at::Tensor& mask_T);

// Tokens that a share of n stands for: floor(ratio * n), at least 1; 0 of none.
int64_t quota_of(double ratio, int64_t num_tokens);

// A [T] tensor's values there.
std::vector<double> values_at(const at::Tensor& values_T, const std::vector<int64_t>& places);

// bool [T]: true at the places.
at::Tensor mask_of(const std::vector<int64_t>& places, int64_t num_entries);

}  // namespace covrl
