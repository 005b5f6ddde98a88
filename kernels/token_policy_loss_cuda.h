// token_policy_loss.h on a CUDA device, float32: gradients and sums in one reading of the tokens.
//
// A block adds up the tokens of its own stretch in a fixed order, a second launch the blocks' sums:
// the same bits every time. Gradients differ from the CPU's by the rounding of exp and by fused
// multiply-adds. Nothing is read by the host: what an earlier launch on the stream writes, means of
// the mini-batch among it, may be an input.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/policy_loss_terms.h"

namespace covrl::kernels {

// PolicyLossSum, then the sum of (logprob - mean)(advantage - mean) over the mask (covariance.h).
inline constexpr size_t kNumPolicyLossCudaSums = kNumPolicyLossSums + 1;

// Device pointers, all [T]; nothing outside the mask is read into a result. What may be null is
// left out.
struct TokenPolicyLossCuda {
  const float* logprob_T = nullptr;
  const float* old_logprob_T = nullptr;
  const float* advantage_T = nullptr;
  const float* entropy_T = nullptr;
  const float* ref_logprob_T = nullptr;     // null: no KL term
  const float* rollout_weight_T = nullptr;  // null: 1
  const bool* mask_T = nullptr;
  const bool* dropped_T = nullptr;   // may be null
  const bool* pulled_T = nullptr;    // null: no pull
  const double* weight_T = nullptr;  // of the reduction
  int64_t num_tokens = 0;
  PolicyLossTerms terms = {};
  float* grad_logprob_T = nullptr;  // may be null
  float* grad_entropy_T = nullptr;  // may be null
  // On the device, where an earlier pass over the mini-batch has left them: mean log-prob and mean
  // advantage. Null: no sum of covariances.
  const double* mean_logprob = nullptr;
  const double* mean_advantage = nullptr;
  double* partial_sums = nullptr;  // workspace: [kNumPolicyLossCudaSums, policy_loss_blocks(T)]
  double* sums = nullptr;          // [kNumPolicyLossCudaSums]
};

int64_t policy_loss_blocks(int64_t num_tokens);

// Launches as cuda_type.h says; the sums of no tokens are 0.
cudaError_t token_policy_loss_cuda(const TokenPolicyLossCuda& tokens, cudaStream_t stream);

// scaled_T = gradient_T times the gradient of the loss, which lies on the device.
struct ScaledGradientCuda {
  const float* gradient_T = nullptr;
  const double* upstream = nullptr;
  float* scaled_T = nullptr;
  int64_t num_tokens = 0;
};
cudaError_t scale_gradient_cuda(const ScaledGradientCuda& tokens, cudaStream_t stream);

}  // namespace covrl::kernels
