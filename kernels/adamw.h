// AdamW (arXiv 1711.05101) as torch.optim.AdamW computes it, in place, fused over one flat buffer;
// with the gradient clipped, and 16-bit weights kept beside their float32 master copy.
#pragma once

#include <ATen/core/Tensor.h>

namespace covrl::kernels {

struct AdamwStep {
  double lr = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  double grad_scale = 1;  // gradient clipping: min(1, max_norm / (norm + 1e-6)), norm on the host
  int64_t step = 1;       // counts from 1
  double max_norm = 0;  // the same clipping by AdamwTensors::grad_norm; above 0 where that is given
};

struct AdamwTensors {
  at::Tensor param, grad, exp_avg, exp_avg_sq;  // float32, contiguous, the same number of elements
  at::Tensor weights = {};    // or undefined; bfloat16 or float16: receives param rounded
  at::Tensor grad_norm = {};  // or undefined; what gradient_norm returned: not waited for on a GPU
};
void adamw(const AdamwTensors& tensors, const AdamwStep& step);

// L2 norm of a contiguous float32 tensor, summed in double in a fixed order -> float64 [1] on the
// same device.
at::Tensor gradient_norm(const at::Tensor& grad);

}  // namespace covrl::kernels
