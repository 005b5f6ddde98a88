// The softmax of one query over its keys, and its gradient. Lane i takes keys i, i + 16, ...
#pragma once

#include "kernels/cpu_kernels.h"
#include "kernels/simd/elementwise.h"
#include "kernels/simd/exp.h"

namespace covrl::kernels {
namespace {

COVRL_INLINE void clear(float* x, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) x[i] = 0;
}

static void softmax(float* scores, int64_t count, int64_t padded, float scale, float& max_score,
                    float& sum) {
  const Vec factor = broadcast(scale);
  Vec largest = broadcast(-__builtin_inff());
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) largest = max(largest, mul(load(scores + i), factor));
  max_score = max_lanes(largest);
  for (; i < count; ++i) max_score = max_score > scores[i] * scale ? max_score : scores[i] * scale;
  const Vec origin = broadcast(max_score);
  Vec total = zero();
  for_vectors(count, [&](int64_t j, int64_t lanes) {
    store_lanes(scores + j, exp(sub(mul(load_lanes(scores + j, lanes), factor), origin)), lanes);
    total = add(total, load_lanes(scores + j, lanes));
  });
  sum = sum_lanes(total);
  clear(scores, count, padded);
}

static void scale(float* x, int64_t count, float factor) {
  for_vectors(count, [&](int64_t i, int64_t lanes) {
    store_lanes(x + i, fma(load_lanes(x + i, lanes), broadcast(factor), zero()), lanes);
  });
}

static float dot(const float* a, const float* b, int64_t count) {
  Vec sum = zero();
  for_vectors(count, [&](int64_t i, int64_t lanes) {
    sum = fma(load_lanes(a + i, lanes), load_lanes(b + i, lanes), sum);
  });
  return sum_lanes(sum);
}

static void softmax_backward(float* scores, float* gradient, int64_t count, int64_t padded,
                             const SoftmaxGradient& row) {
  const Vec factor = broadcast(row.scale), origin = broadcast(row.max),
            inverse = broadcast(row.inverse_sum);
  for_vectors(count, [&](int64_t i, int64_t lanes) {
    const Vec weight = mul(exp(sub(mul(load_lanes(scores + i, lanes), factor), origin)), inverse);
    const Vec centred = sub(load_lanes(gradient + i, lanes), broadcast(row.mean_gradient));
    store_lanes(scores + i, weight, lanes);
    store_lanes(gradient + i, mul(mul(weight, centred), factor), lanes);
  });
  clear(scores, count, padded);
  clear(gradient, count, padded);
}

}  // namespace
}  // namespace covrl::kernels
