// What one step of adamw is made of, for the loops of each device.
#pragma once

namespace covrl::kernels {

// Scalars of one step, in the order of their use; computed in double, used in float32.
struct AdamwScalars {
  float grad_scale;
  float decay;             // 1 - lr * weight_decay
  float beta1_complement;  // 1 - beta1
  float beta2;
  float beta2_complement;  // 1 - beta2
  float sqrt_correction2;  // sqrt(1 - beta2^step)
  float eps;
  float negative_step;  // -lr / (1 - beta1^step)
  double max_norm =
      0;  // with a gradient norm: grad_scale *= min(1, max_norm / (norm + kClipEpsilon))
};

inline constexpr double kClipEpsilon = 1e-6;

}  // namespace covrl::kernels
