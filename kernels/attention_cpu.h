// Causal attention on the CPU, float32. A query's scores over its keys, their softmax and the
// weighted sum of values are the same arithmetic in order of key whether the query comes in a block
// of a packed sequence or alone over a paged cache.
#pragma once

#include <cstdint>

namespace covrl::kernels {

struct HeadShape {
  int64_t query_heads = 1, key_heads = 1, size = 1;
  float scale = 1;

  int64_t group() const { return query_heads / key_heads; }
  int64_t query_width() const { return query_heads * size; }  // floats of a token
  int64_t key_width() const { return key_heads * size; }
};

// Sequence n covers tokens cu_seqlens[n] .. cu_seqlens[n+1]-1.
struct PackedSequences {
  const int64_t* cu_seqlens = nullptr;
  int64_t count = 0;
};

// q [T,Q,d], k, v [T,H,d] -> output [T,Q,d]. max and inverse_sum [T,Q], if not null, receive the
// statistics of each softmax.
struct AttentionForward {
  const float *q = nullptr, *k = nullptr, *v = nullptr;
  float* output = nullptr;
  float *max = nullptr, *inverse_sum = nullptr;
};
void attention_cpu(const HeadShape& shape, const PackedSequences& sequences,
                   const AttentionForward& tensors);

// Gradients are overwritten. A key's adds its query heads in order, then its queries in order, in
// blocks of 48.
struct AttentionBackward {
  const float *q = nullptr, *k = nullptr, *v = nullptr, *output = nullptr, *grad_output = nullptr;
  const float *max = nullptr, *inverse_sum = nullptr;
  float *grad_q = nullptr, *grad_k = nullptr, *grad_v = nullptr;
};
void attention_backward_cpu(const HeadShape& shape, const PackedSequences& sequences,
                            const AttentionBackward& tensors);

// q, output [B,Q,d]; k, v [P,S,H,d], float32 or bfloat16; block_table [B,max_pages]; lengths [B]
// >= 1.
struct DecodeAttention {
  const float* q = nullptr;
  const void *k = nullptr, *v = nullptr;
  bool bfloat16 = false;
  int64_t page_size = 1;
  const int32_t* block_table = nullptr;
  int64_t max_pages = 0;
  const int32_t* lengths = nullptr;
  int64_t batch = 0;
  float* output = nullptr;
};
void decode_attention_cpu(const HeadShape& shape, const DecodeAttention& tensors);

}  // namespace covrl::kernels
