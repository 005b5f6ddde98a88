// core/rng.h's generator on a CUDA device: the same numbers.
#pragma once

#include <cstdint>

namespace covrl::kernels::cuda {

// Philox4x32-10 (Salmon et al., SC 2011).
__device__ inline uint4 philox4x32(uint4 counter, uint2 key) {
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const uint32_t high0 = __umulhi(0xD2511F53u, counter.x), low0 = 0xD2511F53u * counter.x;
    const uint32_t high1 = __umulhi(0xCD9E8D57u, counter.z), low1 = 0xCD9E8D57u * counter.z;
    counter = make_uint4(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
    key.x += 0x9E3779B9u;
    key.y += 0xBB67AE85u;
  }
  return counter;
}

// uniform(seed, stream, id) for key = philox_key(seed, stream), counter = {step, prompt, sample,
// position}.
__device__ inline double philox_uniform(uint4 counter, uint2 key) {
  const uint4 words = philox4x32(counter, key);
  const uint64_t bits = static_cast<uint64_t>(words.x) << 32 | words.y;
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace covrl::kernels::cuda
