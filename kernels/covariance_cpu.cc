#include "kernels/covariance_cpu.h"

#include "kernels/vector_clones.h"

namespace covrl::kernels {
namespace {

COVRL_INLINE void draw_body(const int64_t* __restrict ids, int64_t count, uint32_t step,
                            uint32_t key0, uint32_t key1, uint64_t* __restrict bits) {
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t id = static_cast<uint64_t>(ids[i]);
    uint64_t c0 = step, c1 = id >> 32, c2 = id & 0xffffffffu, c3 = 0;  // 32 bits each
    uint32_t k0 = key0, k1 = key1;
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      const uint64_t product0 = 0xD2511F53u * c0, product1 = 0xCD9E8D57u * c2;
      c0 = (product1 >> 32) ^ c1 ^ k0;
      c1 = product1 & 0xffffffffu;
      c2 = (product0 >> 32) ^ c3 ^ k1;
      c3 = product0 & 0xffffffffu;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    bits[i] = c0 << 32 | c1;
  }
}

}  // namespace

void draw_bits(const int64_t* ids, int64_t count, uint32_t step, std::array<uint32_t, 2> key,
               uint64_t* bits) {
  run_vectorised([&]() COVRL_INLINE_BODY { draw_body(ids, count, step, key[0], key[1], bits); });
}

}  // namespace covrl::kernels
