// Rotary embedding of one token.
#pragma once

#include "kernels/simd/elementwise.h"

namespace covrl::kernels {
namespace {

static void rope(const float* x, const float* cos, const float* sin, int64_t heads, int64_t size,
                 float direction, float* y) {
  const int64_t half = size / 2;
  for (int64_t head = 0; head < heads; ++head, x += size, y += size) {
    for_vectors(half, [&](int64_t i, int64_t lanes) {
      const Vec a = load_lanes(x + i, lanes), b = load_lanes(x + half + i, lanes);
      const Vec c = load_lanes(cos + i, lanes),
                s = mul(load_lanes(sin + i, lanes), broadcast(direction));
      store_lanes(y + i, sub(mul(a, c), mul(b, s)), lanes);
      store_lanes(y + half + i, add(mul(b, c), mul(a, s)), lanes);
    });
  }
}

}  // namespace
}  // namespace covrl::kernels
