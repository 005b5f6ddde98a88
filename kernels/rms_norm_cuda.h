// rms_norm (rms_norm.h) on a CUDA device, forward.
#pragma once

#include <cstdint>

#include "kernels/cuda_type.h"

namespace covrl::kernels {

struct RmsNormForward {
  const void* x_TD = nullptr;
  const void* weight_D = nullptr;  // stored as x is
  void* y_TD = nullptr;
  CudaType type = CudaType::kFloat32;
  int64_t num_tokens = 0;
  int64_t size = 0;
  float eps = 0;
};
// A row is reduced by one block in a fixed order: its bits do not depend on the other rows.
cudaError_t rms_norm_forward_cuda(const RmsNormForward& rows, cudaStream_t stream);

}  // namespace covrl::kernels
