#include "kernels/softmax_row.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/vector_clones.h"

namespace covrl::kernels {
namespace {

constexpr float kLowest = -87.0f;  // exp(-87) is the last whole power of e that is a normal float

// exp for x <= 1, within 2 units in the last place; 0 at and below kLowest; NaN stays NaN.
// Branch-free, and no fused multiply-add (this file is compiled with -ffp-contract=off), so that
// every instruction set gives the same bits.
COVRL_INLINE float exp_nonpositive(float x) {
  constexpr float kRound =
      12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  const float clamped = x < kLowest ? kLowest : x;
  const float shifted = clamped * 1.44269504f + kRound;
  const float n = shifted - kRound;
  const float r =
      (clamped - n * 0.693359375f) + n * 2.12194440e-4f;  // x - n ln 2, the first product exact
  float y = 1.0f / 5040;  // Taylor to the 7th power: |r| <= ln(2) / 2 leaves 5e-9
  y = y * r + 1.0f / 720;
  y = y * r + 1.0f / 120;
  y = y * r + 1.0f / 24;
  y = y * r + 1.0f / 6;
  y = y * r + 0.5f;
  y = y * r + 1.0f;
  y = y * r + 1.0f;
  const uint32_t exponent = (std::bit_cast<uint32_t>(shifted) + 127u) << 23;
  y *= std::bit_cast<float>(exponent);
  return x <= kLowest ? 0.0f : y;
}

// Sum of a block: halves are added elementwise until one element is left.
COVRL_INLINE float tree_sum(float* values) {
  for (int64_t half = kSoftmaxBlock / 2; half >= 1; half /= 2) {
#pragma GCC ivdep
    for (int64_t i = 0; i < half; ++i) values[i] += values[i + half];
  }
  return values[0];
}

COVRL_INLINE float tree_max(const float* logits) {
  float values[kSoftmaxBlock / 2];
  for (int64_t i = 0; i < kSoftmaxBlock / 2; ++i)
    values[i] =
        logits[i] < logits[i + kSoftmaxBlock / 2] ? logits[i + kSoftmaxBlock / 2] : logits[i];
  for (int64_t half = kSoftmaxBlock / 4; half >= 1; half /= 2) {
#pragma GCC ivdep
    for (int64_t i = 0; i < half; ++i)
      values[i] = values[i] < values[i + half] ? values[i + half] : values[i];
  }
  return values[0];
}

COVRL_INLINE void fold_block(SoftmaxRow& row, const float* logits, float inverse_temperature) {
  const float block_max = tree_max(logits);
  if (block_max > row.max) {
    if (row.sum > 0) {
      const double shift = (static_cast<double>(row.max) - block_max) * inverse_temperature;
      const double scale = std::exp(shift);
      row.sum_shifted = (row.sum_shifted + row.sum * shift) * scale;
      row.sum *= scale;
    }
    row.max = block_max;
  }
  const float origin = std::isinf(row.max) && row.max < 0 ? 0.0f : row.max;
  float weight[kSoftmaxBlock];
  float shifted[kSoftmaxBlock];
  for (int64_t i = 0; i < kSoftmaxBlock; ++i) {
    const float d = (logits[i] - origin) * inverse_temperature;
    weight[i] = exp_nonpositive(d);
    shifted[i] = weight[i] * (d < kLowest ? kLowest : d);  // 0 * -inf would be NaN
  }
  row.sum += tree_sum(weight);
  row.sum_shifted += tree_sum(shifted);
}

COVRL_INLINE void fold_logits_body(SoftmaxRow& row, const float* logits, int64_t count,
                                   float inverse_temperature) {
  int64_t start = 0;
  for (; start + kSoftmaxBlock <= count; start += kSoftmaxBlock)
    fold_block(row, logits + start, inverse_temperature);
  if (start == count) return;
  float tail[kSoftmaxBlock];
  std::copy(logits + start, logits + count, tail);
  std::fill(tail + (count - start), tail + kSoftmaxBlock, -std::numeric_limits<float>::infinity());
  fold_block(row, tail, inverse_temperature);
}

COVRL_INLINE void softmax_weights_body(const float* __restrict logits, int64_t count, float max,
                                       float inverse_temperature, float* __restrict weights) {
  for (int64_t i = 0; i < count; ++i)
    weights[i] = exp_nonpositive((logits[i] - max) * inverse_temperature);
}

COVRL_INLINE void softmax_gradient_body(const float* logits, int64_t count,
                                        const SoftmaxRowGradient& row, float* gradient) {
  const float grad_logprob = row.grad_logprob * row.inverse_temperature;
  const float grad_entropy = row.grad_entropy * row.inverse_temperature;
  const float max = row.max, inverse_temperature = row.inverse_temperature;
  const float log_sum = row.log_sum, entropy = row.entropy;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float logprob = (logits[i] - max) * inverse_temperature - log_sum;
    const float finite = logprob < kLowest ? kLowest : logprob;  // 0 * -inf would be NaN
    gradient[i] = -exp_nonpositive(logprob) * (grad_logprob + grad_entropy * (finite + entropy));
  }
}

COVRL_INLINE void widen_body(const Bfloat16* __restrict values, int64_t count,
                             float* __restrict wide) {
  for (int64_t i = 0; i < count; ++i)
    wide[i] = std::bit_cast<float>(static_cast<uint32_t>(values[i]) << 16);
}

COVRL_INLINE void round_body(const float* __restrict values, int64_t count,
                             Bfloat16* __restrict rounded) {
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t bits = std::bit_cast<uint32_t>(values[i]);
    const uint32_t nearest = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    rounded[i] = static_cast<Bfloat16>(nan ? 0x7fc0u : nearest);
  }
}

}  // namespace

double SoftmaxRow::log_sum() const { return std::log(sum); }

double SoftmaxRow::logprob(float logit, float inverse_temperature) const {
  return (static_cast<double>(logit) - max) * inverse_temperature - log_sum();
}

double SoftmaxRow::entropy() const { return log_sum() - sum_shifted / sum; }

void fold_logits(SoftmaxRow& row, const float* logits, int64_t count, float inverse_temperature) {
  run_vectorised(
      [&]() COVRL_INLINE_BODY { fold_logits_body(row, logits, count, inverse_temperature); });
}

void softmax_weights(const float* logits, int64_t count, float max, float inverse_temperature,
                     float* weights) {
  run_vectorised([&]() COVRL_INLINE_BODY {
    softmax_weights_body(logits, count, max, inverse_temperature, weights);
  });
}

void softmax_gradient(const float* logits, int64_t count, const SoftmaxRowGradient& row,
                      float* gradient) {
  run_vectorised([&]() COVRL_INLINE_BODY { softmax_gradient_body(logits, count, row, gradient); });
}

void widen(const Bfloat16* values, int64_t count, float* wide) {
  run_vectorised([&]() COVRL_INLINE_BODY { widen_body(values, count, wide); });
}

void round_to_bfloat16(const float* values, int64_t count, Bfloat16* rounded) {
  run_vectorised([&]() COVRL_INLINE_BODY { round_body(values, count, rounded); });
}

}  // namespace covrl::kernels
