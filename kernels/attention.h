// Causal softmax attention with grouped queries (GQA): over packed sequences (training, scoring,
// prefill) and one token at a time over a paged key/value cache (decoding). Both visit the keys of
// a query in the same order with the same arithmetic, so that a decoded token has the bits that
// scoring the finished sequence gives it.
//
// Letters: T packed tokens, Q query heads, H key/value heads (Q a multiple of H), d head size, B
// sequences in a decode batch, N packed ones, P pages of S tokens.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace covrl::kernels {

// Where the sequences of a batch end: sequence n covers tokens cu_seqlens[n] .. cu_seqlens[n+1]-1.
// Made once for all layers, before their work is enqueued: a copy to a device waits for that.
struct Packing {
  Packing(std::vector<int64_t> offsets, at::Device device);

  std::vector<int64_t> cu_seqlens;
  int64_t longest = 0;
  at::Tensor cu_seqlens_there;  // int32 [N+1] on the device of the operands
};

// q [T,Q,d], k, v [T,H,d] -> [T,Q,d], with gradients.
at::Tensor attention(const at::Tensor& q_TQd, const at::Tensor& k_THd, const at::Tensor& v_THd,
                     const Packing& packing, double scale);

// Pages of one layer: k and v [P,S,H,d].
struct PagedCache {
  at::Tensor k_PSHd;
  at::Tensor v_PSHd;
};

// Throws Error unless k, v and slots fit the cache; the slots' range is not looked at.
void check_write(const char* op, const PagedCache& cache, const at::Tensor& k_THd,
                 const at::Tensor& v_THd, const at::Tensor& slots_T);

// Writes k, v [T,H,d] at token slots slot = page * S + offset, slots [T] int64.
void write_cache(PagedCache& cache, const at::Tensor& k_THd, const at::Tensor& v_THd,
                 const at::Tensor& slots_T);

// One query per sequence over its cached keys (the current one included). q [B,Q,d]; block_table
// [B,max_pages] int32: the sequence's pages in order; lengths [B] int32: keys to attend to. ->
// [B,Q,d]. No gradient.
at::Tensor decode_attention(const at::Tensor& q_BQd, const PagedCache& cache,
                            const at::Tensor& block_table_BM, const at::Tensor& lengths_B,
                            double scale);

}  // namespace covrl::kernels
