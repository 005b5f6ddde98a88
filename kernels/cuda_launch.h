// What the *_cuda_op.cc files share: from tensors to the launchers' arguments.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/cuda_type.h"

namespace covrl::kernels::cuda_ops {

// Storage of a float32, bfloat16 or float16 tensor.
CudaType cuda_type(const at::Tensor& tensor);

// LibTorch's current stream on the tensor's device, which must be the current one: a launch goes
// there, and a process uses one device.
cudaStream_t stream_of(const at::Tensor& tensor);

// Throws Error(kRuntime) with op, shape and dtype of `input` unless the launch succeeded.
void check_launch(cudaError_t status, const char* op, const at::Tensor& input);

}  // namespace covrl::kernels::cuda_ops
