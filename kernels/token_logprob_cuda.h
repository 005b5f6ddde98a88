// Rows of logits on a CUDA device: log-probability of a target and entropy, and the gradient in
// place (token_logprob.h has the definitions). A row is reduced by one block in a fixed order: its
// bits do not depend on the other rows.
//
// Rows come whole (forward, backward) or in tiles of the vocabulary in order of id: fold each tile,
// then finish; in the backward pass each tile again, whose first_id says where it is.
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

struct TokenLogprobFold {
  const void* logits_TW = nullptr;  // of the ids first_id .. first_id + W - 1
  CudaType type = CudaType::kFloat32;
  const int64_t* targets_T = nullptr;  // in [0, V)
  int64_t num_tokens = 0;
  int64_t num_ids = 0;  // W
  int64_t first_id = 0;
  float inverse_temperature = 1;
  float* state_4T = nullptr;  // of the tiles so far, and where the target's logit goes; the tile of
                              // id 0 starts it
};
cudaError_t token_logprob_fold_cuda(const TokenLogprobFold& tile, cudaStream_t stream);

struct TokenLogprobFinish {
  const float* state_4T = nullptr;  // after the last tile
  int64_t num_tokens = 0;
  float inverse_temperature = 1;
  float* logprob_T = nullptr;
  float* entropy_T = nullptr;
  float* statistics_3T = nullptr;  // as of TokenLogprobForward
};
cudaError_t token_logprob_finish_cuda(const TokenLogprobFinish& rows, cudaStream_t stream);

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
  int64_t first_id = 0;  // of a tile of the vocabulary; num_ids is then the tile's
};
cudaError_t token_logprob_backward_cuda(const TokenLogprobBackward& rows, cudaStream_t stream);

}  // namespace covrl::kernels
