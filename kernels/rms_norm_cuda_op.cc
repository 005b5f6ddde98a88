#include <ATen/ATen.h>

#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"
#include "kernels/rms_norm_cuda.h"

namespace covrl::kernels::cuda_ops {

NormalisedRows rms_norm(const at::Tensor& x_TD, const at::Tensor& residual_TD,
                        const at::Tensor& weight_D, double eps) {
  const at::Tensor x = x_TD.contiguous(), weight = weight_D.contiguous();
  NormalisedRows result;
  result.y_TD = at::empty_like(x);
  result.inverse_T = at::empty({x.size(0)}, x.options().dtype(at::kFloat));
  RmsNormForward rows;
  rows.x_TD = x.const_data_ptr();
  rows.weight_D = weight.const_data_ptr();
  rows.y_TD = result.y_TD.data_ptr();
  rows.type = cuda_type(x);
  rows.num_tokens = x.size(0);
  rows.size = x.size(1);
  rows.eps = static_cast<float>(eps);
  rows.inverse_T = result.inverse_T.data_ptr<float>();
  at::Tensor residual;
  if (residual_TD.defined()) {
    residual = residual_TD.contiguous();
    result.sum_TD = at::empty_like(x);
    rows.residual_TD = residual.const_data_ptr();
    rows.sum_TD = result.sum_TD.data_ptr();
  }
  check_launch(rms_norm_forward_cuda(rows, stream_of(x)), "rms_norm", x);
  return result;
}

RmsNormGradient rms_norm_backward(const at::Tensor& x_TD, const at::Tensor& weight_D,
                                  const at::Tensor& inverse_T, const at::Tensor& grad_y_TD,
                                  const at::Tensor& grad_sum_TD) {
  const at::Tensor x = x_TD.contiguous(), weight = weight_D.contiguous(),
                   grad_y = grad_y_TD.contiguous();
  const at::Tensor grad_sum = grad_sum_TD.defined() ? grad_sum_TD.contiguous() : at::Tensor();
  const RmsNormGradient gradient = {at::empty_like(x), at::empty_like(weight)};
  const at::Tensor workspace =
      at::empty({rms_norm_workspace(x.size(0)), x.size(1)}, inverse_T.options());
  RmsNormBackward rows;
  rows.x_TD = x.const_data_ptr();
  rows.weight_D = weight.const_data_ptr();
  rows.grad_y_TD = grad_y.const_data_ptr();
  rows.grad_sum_TD = grad_sum.defined() ? grad_sum.const_data_ptr() : nullptr;
  rows.grad_x_TD = gradient.x_TD.data_ptr();
  rows.grad_weight_D = gradient.weight_D.data_ptr();
  rows.type = cuda_type(x);
  rows.num_tokens = x.size(0);
  rows.size = x.size(1);
  rows.inverse_T = inverse_T.const_data_ptr<float>();
  rows.workspace = workspace.data_ptr<float>();
  check_launch(rms_norm_backward_cuda(rows, stream_of(x)), "rms_norm's gradient", x);
  return gradient;
}

}  // namespace covrl::kernels::cuda_ops
