// Rows of logits on a CUDA device: log-probability of a target and entropy, and the gradient in
// place (token_logprob.h has the definitions). A row is reduced by one block in a fixed order: its
// bits do not depend on the other rows.
#pragma once

#include <cstdint>

#include "kernels/cuda_type.h"

namespace covrl::kernels {

struct TokenLogprobForward {
  const void* logits_TV = nullptr;
  CudaType type = CudaType::kFloat32;
  const int64_t* targets_T = nullptr;  // in [0, V)
  int64_t num_tokens = 0;
  int64_t num_ids = 0;
  float inverse_temperature = 1;
  float* logprob_T = nullptr;
  float* entropy_T = nullptr;
  float* statistics_3T = nullptr;  // for the backward pass: largest logit, log of the sum of exp((z
                                   // - max) / t), entropy
};
cudaError_t token_logprob_forward_cuda(const TokenLogprobForward& rows, cudaStream_t stream);

struct TokenLogprobBackward {
  void* logits_TV = nullptr;  // in: logits; out: gradient with respect to them
  CudaType type = CudaType::kFloat32;
  const int64_t* targets_T = nullptr;
  int64_t num_tokens = 0;
  int64_t num_ids = 0;
  float inverse_temperature = 1;
  const float* statistics_3T = nullptr;
  const float* grad_logprob_T = nullptr;
  const float* grad_entropy_T = nullptr;
};
cudaError_t token_logprob_backward_cuda(const TokenLogprobBackward& rows, cudaStream_t stream);

}  // namespace covrl::kernels
