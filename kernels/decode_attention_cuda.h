// decode_attention (attention.h) on a CUDA device: one query per sequence over a paged cache.
//
// The keys of a sequence are attended to in splits of kKeysPerSplit by different blocks; their
// results are combined in order. What a sequence gets depends on its own keys alone, never on the
// batch. Softmax and sums in float32.
#pragma once

#include <cstdint>

#include "kernels/cuda_type.h"

namespace covrl::kernels {

inline constexpr int64_t kKeysPerSplit = 256;
inline constexpr int64_t kMaxDecodeHeadSize = 256;

struct DecodeAttentionForward {
  const void* q_BQd = nullptr;
  const void* k_PSHd = nullptr;
  const void* v_PSHd = nullptr;
  void* output_BQd = nullptr;
  CudaType type = CudaType::kFloat32;  // of all four
  const int32_t* block_table_BM =
      nullptr;                         // pages of the keys, each in [0, P); the rest is not read
  const int32_t* lengths_B = nullptr;  // 1 .. max_pages * page_size
  int64_t batch = 0;
  int64_t max_pages = 0;
  int64_t page_size = 1;
  int64_t query_heads = 1;  // a multiple of key_heads
  int64_t key_heads = 1;
  int64_t head_size = 1;  // at most kMaxDecodeHeadSize
  float scale = 1;
  float* partial = nullptr;  // decode_attention_partial(..) floats
};

// Floats of device memory that the splits' results take; 0 when a sequence is one split.
int64_t decode_attention_partial(const DecodeAttentionForward& sequences);

cudaError_t decode_attention_cuda(const DecodeAttentionForward& sequences, cudaStream_t stream);

}  // namespace covrl::kernels
