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

// Eight sums side by side, then one after the other.
COVRL_INLINE double squares_body(const float* values, int64_t count) {
  constexpr int64_t kSums = 8;
  double sums[kSums] = {};
  const int64_t whole = count - count % kSums;
  for (int64_t i = 0; i < whole; i += kSums)
    for (int64_t lane = 0; lane < kSums; ++lane) {
      const double value = values[i + lane];
      sums[lane] += value * value;
    }
  for (int64_t i = whole; i < count; ++i) {
    const double value = values[i];
    sums[i - whole] += value * value;
  }
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

void adamw_range(float* param, const float* grad, float* exp_avg, float* exp_avg_sq, int64_t count,
                 const AdamwScalars& scalars) {
  run_vectorised(
      [&]() COVRL_INLINE_BODY { adamw_body(param, grad, exp_avg, exp_avg_sq, count, scalars); });
}

double sum_of_squares(const float* values, int64_t count) {
  double total = 0;
  run_vectorised([&]() COVRL_INLINE_BODY { total = squares_body(values, count); });
  return total;
}

}  // namespace covrl::kernels
