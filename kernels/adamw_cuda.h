// The step of adamw (adamw.h) on a CUDA device, in place, fused; and the norm of a gradient that it
// may clip by, which stays in device memory.
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
  void* weights = nullptr;  // or null; receives param rounded to weights_type, which is not float32
  CudaType weights_type = CudaType::kBFloat16;
  const double* grad_norm = nullptr;  // or null; clips to scalars.max_norm
};

// The same roundings in the same order as the CPU's loop: the same bits.
cudaError_t adamw_cuda(const AdamwBuffers& buffers, const AdamwScalars& scalars,
                       cudaStream_t stream);

// norm = L2 norm of grad, in double, in a fixed order. workspace: gradient_norm_workspace(count)
// doubles.
struct GradientNorm {
  const float* grad = nullptr;
  int64_t count = 0;
  double* workspace = nullptr;
  double* norm = nullptr;
};
cudaError_t gradient_norm_cuda(const GradientNorm& gradient, cudaStream_t stream);
int64_t gradient_norm_workspace(int64_t count);

}  // namespace covrl::kernels
