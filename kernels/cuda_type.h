// How tensors are stored, for the launchers of CUDA kernels.
//
// Launchers take device pointers, sizes and a stream, start the kernel and return what the runtime
// said of the launch: cudaErrorInvalidValue for sizes that a launch cannot have. Nothing to do is
// success. They do not wait.
#pragma once

#include <cuda_runtime_api.h>

namespace covrl::kernels {

enum class CudaType { kFloat32, kBFloat16, kFloat16 };

}  // namespace covrl::kernels
