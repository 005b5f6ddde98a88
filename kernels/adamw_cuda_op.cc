#include <ATen/ATen.h>

#include "kernels/adamw_cuda.h"
#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"

namespace covrl::kernels::cuda_ops {

void adamw(const AdamwTensors& tensors, const AdamwScalars& scalars) {
  AdamwBuffers buffers;
  buffers.param = tensors.param.data_ptr<float>();
  buffers.grad = tensors.grad.const_data_ptr<float>();
  buffers.exp_avg = tensors.exp_avg.data_ptr<float>();
  buffers.exp_avg_sq = tensors.exp_avg_sq.data_ptr<float>();
  buffers.count = tensors.param.numel();
  if (tensors.weights.defined()) {
    buffers.weights = tensors.weights.data_ptr();
    buffers.weights_type = cuda_type(tensors.weights);
  }
  if (tensors.grad_norm.defined()) buffers.grad_norm = tensors.grad_norm.const_data_ptr<double>();
  check_launch(adamw_cuda(buffers, scalars, stream_of(tensors.param)), "adamw", tensors.param);
}

at::Tensor gradient_norm(const at::Tensor& grad) {
  const at::TensorOptions options = grad.options().dtype(at::kDouble);
  const at::Tensor norm = at::empty({1}, options),
                   workspace = at::empty({gradient_norm_workspace(grad.numel())}, options);
  const GradientNorm gradient = {grad.const_data_ptr<float>(), grad.numel(),
                                 workspace.data_ptr<double>(), norm.data_ptr<double>()};
  check_launch(gradient_norm_cuda(gradient, stream_of(grad)), "gradient_norm", grad);
  return norm;
}

}  // namespace covrl::kernels::cuda_ops
