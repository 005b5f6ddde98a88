// rms_norm (rms_norm.h) on a CUDA device, alone or of the sum of x and a residual. A row is reduced
// by one block in a fixed order: its bits do not depend on the other rows.
#pragma once

#include <cstdint>

#include "kernels/cuda_type.h"

namespace covrl::kernels {

// Rows of any size, up to 2^29. What fits a block's shared memory is read once: 20,480 forward and
// 10,240 backward in float32, 40,960 and 16,384 in 16 bits; wider rows are read twice.
struct RmsNormForward {
  const void* x_TD = nullptr;
  const void* weight_D = nullptr;  // stored as x is
  void* y_TD = nullptr;
  CudaType type = CudaType::kFloat32;
  int64_t num_tokens = 0;
  int64_t size = 0;
  float eps = 0;
  const void* residual_TD = nullptr;  // or null; y = norm(x + residual)
  void* sum_TD = nullptr;             // with a residual: x + residual, rounded to storage
  float* inverse_T = nullptr;         // or null; what the backward pass needs: 1 / root mean square
};
cudaError_t rms_norm_forward_cuda(const RmsNormForward& rows, cudaStream_t stream);

struct RmsNormBackward {
  const void* x_TD = nullptr;  // what was normalised: x, or the sum
  const void* weight_D = nullptr;
  const void* grad_y_TD = nullptr;
  const void* grad_sum_TD = nullptr;  // or null; the gradient that reaches x past the norm
  void* grad_x_TD = nullptr;          // may be grad_y or grad_sum
  void* grad_weight_D = nullptr;
  CudaType type = CudaType::kFloat32;
  int64_t num_tokens = 0;
  int64_t size = 0;
  const float* inverse_T = nullptr;
  float* workspace = nullptr;  // rms_norm_workspace(num_tokens) rows of `size`
};
// The weight's gradient adds the tokens in order inside blocks of a fixed number of tokens, then
// the blocks in an order that their number fixes.
cudaError_t rms_norm_backward_cuda(const RmsNormBackward& rows, cudaStream_t stream);
int64_t rms_norm_workspace(int64_t num_tokens);

}  // namespace covrl::kernels
