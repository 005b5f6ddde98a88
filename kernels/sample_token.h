// Draws a token per row: temperature, then top-k, then top-p, then min-p, renormalised (the order
// of Hugging Face).
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace covrl::kernels {

struct SamplingFilter {
  double temperature = 1.0;  // 0: greedy, the lowest id among equals
  int64_t top_k = 0;         // 0: off
  double top_p = 1.0;        // 1: off; keeps the smallest set whose probability reaches top_p
  double min_p = 0.0;        // 0: off; keeps tokens with p >= min_p * max p
};

struct SampledTokens {
  std::vector<int64_t> token;  // [B]
  std::vector<float>
      logprob;  // [B] under softmax(logits / temperature), unfiltered: what the learner scores
  std::vector<float> filtered_logprob;  // [B] under the filtered distribution it was drawn from
  std::vector<float> entropy;           // [B] nats, of softmax(logits / temperature)
};

// logits [B,V] float32, bfloat16 or float16: drawn on a CUDA device where they are there (at most
// 2^19 ids), else by the CPU in float32. uniforms [B] in [0,1): inverse transform over the
// kept tokens in order of id, so the draw is a function of the logits' row and its uniform alone.
// Greedy reports logprob at temperature 1. Throws Error(kRuntime) naming a row with NaN or +inf
// logits, or with none above -inf.
SampledTokens sample_token(const at::Tensor& logits_BV, const SamplingFilter& filter,
                           const std::vector<double>& uniforms);

// The filtered distribution of one row of logits on the CPU: probabilities [V] (double), zero where
// filtered out. For tests and `covrl probe`.
std::vector<double> filtered_distribution(const at::Tensor& logits_V, const SamplingFilter& filter);

}  // namespace covrl::kernels
