// What the *_cuda_op.cc files share: from tensors to the launchers' arguments.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/cuda_type.h"

namespace covrl::kernels::cuda_ops {

// Storage of a float32, bfloat16 or float16 tensor.
CudaType cuda_type(const at::Tensor& tensor);

// LibTorch's current stream on the current device.
cudaStream_t current_stream();

// Throws Error(kRuntime) with op, shape and dtype of `input` unless the launch succeeded.
void check_launch(cudaError_t status, const char* op, const at::Tensor& input);

}  // namespace covrl::kernels::cuda_ops
