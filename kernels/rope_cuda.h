// Rotary position embedding (rope.h) on a CUDA device, forward.
#pragma once

#include <cstdint>

#include "kernels/cuda_type.h"

namespace covrl::kernels {

struct RopeForward {
  const void* x_THd = nullptr;
  void* y_THd = nullptr;  // may be x
  CudaType type = CudaType::kFloat32;
  const float* cos_Pd = nullptr;  // [P, d/2]
  const float* sin_Pd = nullptr;
  const int64_t* positions_T = nullptr;  // in [0, P)
  int64_t num_tokens = 0;
  int64_t num_heads = 0;
  int64_t head_size = 0;  // even
};
cudaError_t rope_forward_cuda(const RopeForward& heads, cudaStream_t stream);

}  // namespace covrl::kernels
