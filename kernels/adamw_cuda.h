// The step of adamw (adamw.h) on a CUDA device, in place, fused.
#pragma once

#include <cstdint>

#include "kernels/adamw_scalars.h"
#include "kernels/cuda_type.h"

namespace covrl::kernels {

struct AdamwBuffers {
  float* param = nullptr;
  const float* grad = nullptr;
  float* exp_avg = nullptr;
  float* exp_avg_sq = nullptr;
  int64_t count = 0;
};

// The same roundings in the same order as the CPU's loop: the same bits.
cudaError_t adamw_cuda(const AdamwBuffers& buffers, const AdamwScalars& scalars,
                       cudaStream_t stream);

}  // namespace covrl::kernels
