// silu(gate) * up (swiglu.h) on a CUDA device: computed in float, rounded once.
#pragma once

#include <cstdint>

#include "kernels/cuda_type.h"

namespace covrl::kernels {

struct SwigluForward {
  const void* gate = nullptr;
  const void* up = nullptr;
  void* y = nullptr;  // may be gate or up
  CudaType type = CudaType::kFloat32;
  int64_t count = 0;
};
cudaError_t swiglu_forward_cuda(const SwigluForward& elements, cudaStream_t stream);

struct SwigluBackward {
  const void* gate = nullptr;
  const void* up = nullptr;
  const void* grad_y = nullptr;
  void* grad_gate = nullptr;  // the gradients may be in place of any input
  void* grad_up = nullptr;
  CudaType type = CudaType::kFloat32;
  int64_t count = 0;
};
cudaError_t swiglu_backward_cuda(const SwigluBackward& elements, cudaStream_t stream);

}  // namespace covrl::kernels
