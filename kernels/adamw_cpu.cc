#include "kernels/adamw_cpu.h"

#include <cmath>

#include "kernels/vector_clones.h"

namespace covrl::kernels {
namespace {

COVRL_INLINE void adamw_body(float* __restrict param, const float* __restrict grad,
                             float* __restrict exp_avg, float* __restrict exp_avg_sq, int64_t count,
                             const AdamwScalars scalars) {
  for (int64_t i = 0; i < count; ++i) {
    const float g = grad[i] * scalars.grad_scale;
    const float m = exp_avg[i] + scalars.beta1_complement * (g - exp_avg[i]);
    const float v = exp_avg_sq[i] * scalars.beta2 + scalars.beta2_complement * g * g;
    const float denominator = std::sqrt(v) / scalars.sqrt_correction2 + scalars.eps;
    param[i] = param[i] * scalars.decay + scalars.negative_step * m / denominator;
    exp_avg[i] = m;
    exp_avg_sq[i] = v;
  }
}

}  // namespace

void adamw_range(float* param, const float* grad, float* exp_avg, float* exp_avg_sq, int64_t count,
                 const AdamwScalars& scalars) {
  run_vectorised(
      [&]() COVRL_INLINE_BODY { adamw_body(param, grad, exp_avg, exp_avg_sq, count, scalars); });
}

}  // namespace covrl::kernels
