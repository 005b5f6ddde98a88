// RMS normalisation, row by row.
#pragma once

#include "kernels/cpu_kernels.h"
#include "kernels/simd/elementwise.h"

namespace covrl::kernels {
namespace {

COVRL_INLINE float inverse_root_mean_square(const float* x, int64_t width, float eps) {
  Vec squares = zero();
  for_vectors(width, [&](int64_t i, int64_t lanes) {
    const Vec value = load_lanes(x + i, lanes);
    squares = fma(value, value, squares);
  });
  return 1.0f / __builtin_sqrtf(sum_lanes(squares) / static_cast<float>(width) + eps);
}

static void rms_norm(const RmsNormRows& rows) {
  for (int64_t row = 0; row < rows.rows; ++row) {
    const float* x = rows.x + row * rows.width;
    float* y = rows.y + row * rows.width;
    const float inverse = inverse_root_mean_square(x, rows.width, rows.eps);
    if (rows.inverse) rows.inverse[row] = inverse;
    for_vectors(rows.width, [&](int64_t i, int64_t lanes) {
      Vec normalised = mul(load_lanes(x + i, lanes), broadcast(inverse));
      if (rows.bfloat16) normalised = round_to_bfloat16(normalised);
      store_lanes(y + i, mul(normalised, load_lanes(rows.weight + i, lanes)), lanes);
    });
  }
}

// With n = x / rms and g = grad_y weight: grad_x = (g - n mean(g n)) / rms, grad_weight = sum of
// grad_y n.
static void rms_norm_backward(const RmsNormRows& rows) {
  for (int64_t i = 0; i < rows.width; ++i) rows.grad_weight[i] = 0;
  for (int64_t row = 0; row < rows.rows; ++row) {
    const int64_t start = row * rows.width;
    const float* x = rows.x + start;
    const float* grad_y = rows.grad_y + start;
    const Vec inverse = broadcast(rows.inverse[row]);
    Vec products = zero();
    for_vectors(rows.width, [&](int64_t i, int64_t lanes) {
      const Vec normalised = mul(load_lanes(x + i, lanes), inverse);
      const Vec gradient = load_lanes(grad_y + i, lanes);
      products = fma(mul(gradient, load_lanes(rows.weight + i, lanes)), normalised, products);
      const Vec applied = rows.bfloat16 ? round_to_bfloat16(normalised) : normalised;
      store_lanes(rows.grad_weight + i,
                  fma(gradient, applied, load_lanes(rows.grad_weight + i, lanes)), lanes);
    });
    const Vec minus_mean = broadcast(-(sum_lanes(products) / static_cast<float>(rows.width)));
    for_vectors(rows.width, [&](int64_t i, int64_t lanes) {
      const Vec normalised = mul(load_lanes(x + i, lanes), inverse);
      const Vec gradient = mul(load_lanes(grad_y + i, lanes), load_lanes(rows.weight + i, lanes));
      store_lanes(rows.grad_x + start + i, mul(fma(normalised, minus_mean, gradient), inverse),
                  lanes);
    });
  }
}

}  // namespace
}  // namespace covrl::kernels
