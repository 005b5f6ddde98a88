// Rotary position embedding (rope.h) on a CUDA device: the same roundings as on the CPU, hence the
// same bits.
#pragma once

#include <cstdint>

#include "kernels/cuda_type.h"

namespace covrl::kernels {

// Where the tokens are, and the angles there.
struct RopeAngles {
  const float* cos_Pd = nullptr;  // [P, d/2]
  const float* sin_Pd = nullptr;
  const int64_t* positions_T = nullptr;  // in [0, P)
};

struct RopeHeads {
  const void* x_THd = nullptr;
  void* y_THd = nullptr;  // may be x
  CudaType type = CudaType::kFloat32;
  RopeAngles angles;
  int64_t num_tokens = 0;
  int64_t num_heads = 0;
  int64_t head_size = 0;   // even
  float direction = 1.0f;  // -1: rotates back, which is the gradient
};
cudaError_t rope_cuda(const RopeHeads& heads, cudaStream_t stream);

// Rotated keys and plain values go straight to their slots of the cache [slots, H, d].
struct RopeIntoCache {
  const void* k_THd = nullptr;
  const void* v_THd = nullptr;
  void* cache_k = nullptr;
  void* cache_v = nullptr;
  CudaType type = CudaType::kFloat32;
  RopeAngles angles;
  const int64_t* slots_T = nullptr;
  int64_t num_tokens = 0;
  int64_t num_heads = 0;
  int64_t head_size = 0;  // even
};
cudaError_t rope_into_cache_cuda(const RopeIntoCache& heads, cudaStream_t stream);

}  // namespace covrl::kernels
