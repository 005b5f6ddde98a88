// silu(gate) * up (swiglu.h) on a CUDA device, forward: computed in float, rounded once.
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

}  // namespace covrl::kernels
