// Log-probability of given tokens and entropy of their distributions, at a temperature, with
// gradients, straight from hidden states: the vocabulary is streamed in tiles, no [T,V] tensor ever
// exists, in forward or backward.
//
//   z = hidden head^T / temperature;  logprob_t = z[target_t] - lse(z);  entropy_t = lse(z) - sum_v
//   softmax(z)_v z_v   (nats) d/dz_v = g_logprob (1[v = target] - p_v)  -  g_entropy p_v (log p_v +
//   entropy)
//
// Letters: T tokens, D hidden size, V vocabulary. Sums in float32 or wider. A token's value does
// not depend on the batch.
#pragma once

#include <ATen/core/Tensor.h>

namespace covrl::kernels {

struct TokenLogprob {
  at::Tensor logprob_T;  // float32
  at::Tensor entropy_T;  // float32
};

// hidden [T,D], head [V,D], targets [T] int64 in [0,V), temperature > 0. Throws Error naming the
// first target out of range.
TokenLogprob token_logprob(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                           const at::Tensor& targets_T, double temperature);

// The same for logits that exist already. logits [T,V]; -inf entries have probability 0 and
// contribute nothing.
TokenLogprob token_logprob_from_logits(const at::Tensor& logits_TV, const at::Tensor& targets_T,
                                       double temperature);

}  // namespace covrl::kernels
