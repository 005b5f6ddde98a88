// Softmax statistics of rows of logits at a temperature, by one arithmetic that scoring and
// sampling share.
//
// A row is read in blocks of kSoftmaxBlock logits in order of id. Inside a block, maximum and sums
// are trees of a fixed shape; across blocks they are folded one by one in double. The result is
// therefore the same bits whether a row comes whole or in tiles (each tile but the last a multiple
// of kSoftmaxBlock), on any instruction set, with any number of threads: the log-probability of a
// sampled token is bit for bit the one that scoring gives it, where the logits are. -inf has
// probability 0 and contributes nothing; NaN, +inf and rows of nothing but -inf give NaN.
#pragma once

#include <cstdint>
#include <limits>

#include "kernels/bfloat16.h"

namespace covrl::kernels {

inline constexpr int64_t kSoftmaxBlock = 256;

// Online state of one row; d = (z - max) / temperature over the logits seen so far.
struct SoftmaxRow {
  float max = -std::numeric_limits<float>::infinity();
  double sum = 0;          // of exp(d)
  double sum_shifted = 0;  // of exp(d) d

  double log_sum() const;  // lse = max / temperature + log_sum
  double logprob(float logit, float inverse_temperature) const;  // of a token of the row
  double entropy() const;                                        // nats
};

// Folds the next `count` logits into the state.
void fold_logits(SoftmaxRow& row, const float* logits, int64_t count, float inverse_temperature);

// weights = exp((logits - max) / temperature), 0 below exp(-87).
void softmax_weights(const float* logits, int64_t count, float max, float inverse_temperature,
                     float* weights);

// What the gradient of a row needs beside its logits; both gradients are with respect to the loss.
struct SoftmaxRowGradient {
  float max = 0;
  float log_sum = 0;
  float entropy = 0;
  float inverse_temperature = 1;
  float grad_logprob = 0;
  float grad_entropy = 0;
};

// gradient = that with respect to the logits of a row (a part of it), but for the target's own +
// grad_logprob / temperature, which the caller adds. It may take the place of the logits.
void softmax_gradient(const float* logits, int64_t count, const SoftmaxRowGradient& row,
                      float* gradient);

// bfloat16 to float32, and back to the nearest, ties to even; NaN stays NaN.
void widen(const Bfloat16* values, int64_t count, float* wide);
void round_to_bfloat16(const float* values, int64_t count, Bfloat16* rounded);

}  // namespace covrl::kernels
