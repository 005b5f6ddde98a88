// y = x / sqrt(mean(x^2) + eps) * weight over the last axis, with gradients. Sums in float32, fixed
// order (see linear.h).
#pragma once

#include <ATen/core/Tensor.h>

namespace covrl::kernels {

// x [T,D], weight [D] -> [T,D]. With bfloat16 the normalised value is rounded before the weight is
// applied, as the published models do.
at::Tensor rms_norm(const at::Tensor& x_TD, const at::Tensor& weight_D, double eps);

// The same of the sum of x and a residual [T,D], which is returned too: one pass on a GPU.
struct ResidualNorm {
  at::Tensor y_TD;
  at::Tensor sum_TD;  // x + residual
};
ResidualNorm rms_norm_residual(const at::Tensor& x_TD, const at::Tensor& residual_TD,
                               const at::Tensor& weight_D, double eps);

}  // namespace covrl::kernels
