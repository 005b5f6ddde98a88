// AdamW (arXiv 1711.05101) as torch.optim.AdamW computes it, in place, fused over one flat buffer.
#pragma once

#include <ATen/core/Tensor.h>

namespace covrl::kernels {

struct AdamwStep {
  double lr = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  double grad_scale = 1;  // gradient clipping: min(1, max_norm / (norm + 1e-6))
  int64_t step = 1;       // counts from 1
};

// param, grad, exp_avg, exp_avg_sq: float32, same number of elements, contiguous.
void adamw(at::Tensor& param, const at::Tensor& grad, at::Tensor& exp_avg, at::Tensor& exp_avg_sq,
           const AdamwStep& step);

}  // namespace covrl::kernels
