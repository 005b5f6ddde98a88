// silu(gate) * up, and its gradients.
#pragma once

#include "kernels/simd/elementwise.h"
#include "kernels/simd/exp.h"

namespace covrl::kernels {
namespace {

COVRL_INLINE Vec one_plus_exp_minus(Vec gate) {
  return add(broadcast(1.0f), exp(sub(zero(), gate)));
}

static void swiglu(const float* gate, const float* up, int64_t count, float* y) {
  for_vectors(count, [&](int64_t i, int64_t lanes) {
    const Vec g = load_lanes(gate + i, lanes);
    store_lanes(y + i, mul(div(g, one_plus_exp_minus(g)), load_lanes(up + i, lanes)), lanes);
  });
}

// With s = sigmoid(gate): d silu = s (1 + gate (1 - s)).
static void swiglu_backward(const float* gate, const float* up, const float* grad_y, int64_t count,
                            float* grad_gate, float* grad_up) {
  const Vec one = broadcast(1.0f);
  for_vectors(count, [&](int64_t i, int64_t lanes) {
    const Vec g = load_lanes(gate + i, lanes), gradient = load_lanes(grad_y + i, lanes);
    const Vec sigmoid = div(one, one_plus_exp_minus(g));
    const Vec slope = mul(sigmoid, fma(g, sub(one, sigmoid), one));
    store_lanes(grad_gate + i, mul(mul(gradient, load_lanes(up + i, lanes)), slope), lanes);
    store_lanes(grad_up + i, mul(gradient, mul(g, sigmoid)), lanes);
  });
}

}  // namespace
}  // namespace covrl::kernels
