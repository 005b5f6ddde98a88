// Draws a token per row of logits on a CUDA device: sample_token.h's contract (temperature, top-k,
// top-p, min-p, in this order). A row is drawn by one block without sorting it, and depends on
// nothing but its logits and its uniform; its log-probability and entropy have the bits that
// token_logprob_cuda.h gives the same row.
#pragma once

#include <cstdint>

#include "kernels/cuda_type.h"

namespace covrl::kernels {

struct SampleTokenRows {
  const void* logits_BV = nullptr;
  CudaType type = CudaType::kFloat32;
  int64_t num_rows = 0;
  int64_t num_ids = 0;  // V, at most 2^19

  double temperature = 1;  // 0: greedy
  int64_t top_k = 0;       // 0: off
  double top_p = 1;        // 1: off
  double min_p = 0;        // 0: off

  // The uniform of each row, or, where it is null, the row's draw of core/rng.h's generator: its
  // key, and its counter {step, prompt, sample, position}.
  const double* uniforms_B = nullptr;
  const uint32_t* counters_B4 = nullptr;
  uint32_t key[2] = {0, 0};

  int64_t* token_B = nullptr;           // -1 where nothing can be drawn: NaN, +inf, all -inf
  float* logprob_B = nullptr;           // under softmax(logits / temperature)
  float* filtered_logprob_B = nullptr;  // under the filtered distribution
  float* entropy_B = nullptr;           // nats, of softmax(logits / temperature)
};
cudaError_t sample_token_cuda(const SampleTokenRows& rows, cudaStream_t stream);

}  // namespace covrl::kernels
