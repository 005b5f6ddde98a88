// exp on sixteen floats.
#pragma once

#include "kernels/simd/vec.h"

namespace covrl::kernels {
namespace {

// Within 2 units in the last place for -87 <= x <= 88; below it 0, above it exp(88). NaN stays NaN.
COVRL_INLINE Vec exp(Vec x) {
  const Vec lowest = broadcast(-87.0f);  // the last whole power of e that is a normal float
  const Vec rounder =
      broadcast(12582912.0f);  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  const Vec clamped = min(broadcast(88.0f), max(lowest, x));
  const Vec shifted = fma(clamped, broadcast(1.44269504f), rounder);
  const Vec n = sub(shifted, rounder);
  Vec r = fma(n, broadcast(-0.693359375f), clamped);  // x - n ln 2 in two steps, the first exact
  r = fma(n, broadcast(2.12194440e-4f), r);
  Vec y = broadcast(1.0f / 5040);  // Taylor to the 7th power: |r| <= ln(2) / 2 leaves 5e-9
  y = fma(y, r, broadcast(1.0f / 720));
  y = fma(y, r, broadcast(1.0f / 120));
  y = fma(y, r, broadcast(1.0f / 24));
  y = fma(y, r, broadcast(1.0f / 6));
  y = fma(y, r, broadcast(0.5f));
  y = fma(y, r, broadcast(1.0f));
  y = fma(y, r, broadcast(1.0f));
  return zero_below(x, lowest, mul(y, power_of_two(shifted)));
}

}  // namespace
}  // namespace covrl::kernels
