// Sixteen floats, with the operations that the CPU kernels are written in: AVX-512, AVX2 or plain
// C++, as this file's includer is compiled. Every operation rounds once and is the same function of
// its lanes in all three, so that a kernel gives the same bits whichever variant runs. Only
// cpu_kernels_*.cc may include this: everything is local to the file, since an inline function with
// external linkage, the standard library's included, could be kept in its AVX-512 form for callers
// that lack it (scripts/check_simd.sh).
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "kernels/bfloat16.h"

#define COVRL_INLINE static inline __attribute__((always_inline))

namespace covrl::kernels {
namespace {

constexpr int64_t kLanes = 16;

#if defined(__AVX512F__)

using Vec = __m512;

COVRL_INLINE __mmask16 first(int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }
COVRL_INLINE Vec zero() { return _mm512_setzero_ps(); }
COVRL_INLINE Vec broadcast(float x) { return _mm512_set1_ps(x); }
COVRL_INLINE Vec load(const float* p) { return _mm512_loadu_ps(p); }
COVRL_INLINE Vec load(const float* p, int64_t count) {
  return _mm512_maskz_loadu_ps(first(count), p);
}
COVRL_INLINE void store(float* p, Vec a) { _mm512_storeu_ps(p, a); }
COVRL_INLINE void store(float* p, Vec a, int64_t count) {
  _mm512_mask_storeu_ps(p, first(count), a);
}
COVRL_INLINE Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
COVRL_INLINE Vec sub(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
COVRL_INLINE Vec mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
COVRL_INLINE Vec div(Vec a, Vec b) { return _mm512_div_ps(a, b); }
COVRL_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
COVRL_INLINE Vec max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
COVRL_INLINE Vec min(Vec a, Vec b) { return _mm512_min_ps(a, b); }

// b where a < limit is false (NaN included), else 0.
COVRL_INLINE Vec zero_below(Vec a, Vec limit, Vec b) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, limit, _CMP_NLT_UQ), b);
}

// The low bits of a hold an integer n (exp.h): 2^n.
COVRL_INLINE Vec power_of_two(Vec a) {
  const __m512i n = _mm512_add_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(127));
  return _mm512_castsi512_ps(_mm512_slli_epi32(n, 23));
}

// Rounded to bfloat16, ties to even; NaN stays NaN.
COVRL_INLINE Vec round_to_bfloat16(Vec a) {
  const __m512i bits = _mm512_castps_si512(a);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i sum = _mm512_add_epi32(_mm512_add_epi32(bits, odd), _mm512_set1_epi32(0x7fff));
  const __m512i rounded = _mm512_and_si512(sum, _mm512_set1_epi32(static_cast<int>(0xffff0000u)));
  return _mm512_mask_mov_ps(_mm512_castsi512_ps(rounded), _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q),
                            a);
}

COVRL_INLINE Vec widen(__m256i a) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(a), 16));
}
COVRL_INLINE Vec load(const Bfloat16* p) {
  return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
COVRL_INLINE Vec load(const Bfloat16* p, int64_t count) {
  return widen(_mm256_maskz_loadu_epi16(first(count), p));
}

// Two bfloat16 in each lane: `odd` in its high half, `even` in its low one.
COVRL_INLINE Vec pair(Vec even, Vec odd) {
  return _mm512_castsi512_ps(
      _mm512_or_si512(_mm512_castps_si512(odd), _mm512_srli_epi32(_mm512_castps_si512(even), 16)));
}
COVRL_INLINE Vec odd_half(Vec a) {
  return _mm512_castsi512_ps(
      _mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
}
COVRL_INLINE Vec even_half(Vec a) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), 16));
}

// rows[r][0..15] -> out[k * stride + r].
COVRL_INLINE void transpose(const Vec (&rows)[kLanes], float* out, int64_t stride) {
  __m512 pairs[16], quads[16], halves[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    const __m512d a = _mm512_castps_pd(pairs[i]), b = _mm512_castps_pd(pairs[i + 1]);
    const __m512d c = _mm512_castps_pd(pairs[i + 2]), d = _mm512_castps_pd(pairs[i + 3]);
    quads[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
    quads[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
    quads[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
    quads[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    halves[i] = _mm512_shuffle_f32x4(quads[i], quads[i + 4], 0x88);
    halves[i + 4] = _mm512_shuffle_f32x4(quads[i], quads[i + 4], 0xdd);
    halves[i + 8] = _mm512_shuffle_f32x4(quads[i + 8], quads[i + 12], 0x88);
    halves[i + 12] = _mm512_shuffle_f32x4(quads[i + 8], quads[i + 12], 0xdd);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    store(out + i * stride, _mm512_shuffle_f32x4(halves[i], halves[i + 8], 0x88));
    store(out + (i + 8) * stride, _mm512_shuffle_f32x4(halves[i], halves[i + 8], 0xdd));
  }
}

COVRL_INLINE void split(Vec a, __m256& low, __m256& high) {
  low = _mm512_castps512_ps256(a);
  high = _mm512_extractf32x8_ps(a, 1);
}

#elif defined(__AVX2__)

struct Vec {
  __m256 low, high;
};

COVRL_INLINE __m256i first(int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
COVRL_INLINE Vec zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
COVRL_INLINE Vec broadcast(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
COVRL_INLINE Vec load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
COVRL_INLINE Vec load(const float* p, int64_t count) {
  return {_mm256_maskload_ps(p, first(count)), _mm256_maskload_ps(p + 8, first(count - 8))};
}
COVRL_INLINE void store(float* p, Vec a) {
  _mm256_storeu_ps(p, a.low);
  _mm256_storeu_ps(p + 8, a.high);
}
COVRL_INLINE void store(float* p, Vec a, int64_t count) {
  _mm256_maskstore_ps(p, first(count), a.low);
  _mm256_maskstore_ps(p + 8, first(count - 8), a.high);
}
COVRL_INLINE Vec add(Vec a, Vec b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
COVRL_INLINE Vec sub(Vec a, Vec b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
COVRL_INLINE Vec mul(Vec a, Vec b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
COVRL_INLINE Vec div(Vec a, Vec b) {
  return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
COVRL_INLINE Vec fma(Vec a, Vec b, Vec c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
COVRL_INLINE Vec max(Vec a, Vec b) {
  return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
COVRL_INLINE Vec min(Vec a, Vec b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}

COVRL_INLINE Vec zero_below(Vec a, Vec limit, Vec b) {
  return {_mm256_and_ps(_mm256_cmp_ps(a.low, limit.low, _CMP_NLT_UQ), b.low),
          _mm256_and_ps(_mm256_cmp_ps(a.high, limit.high, _CMP_NLT_UQ), b.high)};
}

COVRL_INLINE __m256 power_of_two(__m256 a) {
  const __m256i n = _mm256_add_epi32(_mm256_castps_si256(a), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(n, 23));
}
COVRL_INLINE Vec power_of_two(Vec a) { return {power_of_two(a.low), power_of_two(a.high)}; }

COVRL_INLINE __m256 round_to_bfloat16(__m256 a) {
  const __m256i bits = _mm256_castps_si256(a);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i sum = _mm256_add_epi32(_mm256_add_epi32(bits, odd), _mm256_set1_epi32(0x7fff));
  const __m256i rounded = _mm256_and_si256(sum, _mm256_set1_epi32(static_cast<int>(0xffff0000u)));
  return _mm256_blendv_ps(_mm256_castsi256_ps(rounded), a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
}
COVRL_INLINE Vec round_to_bfloat16(Vec a) {
  return {round_to_bfloat16(a.low), round_to_bfloat16(a.high)};
}

COVRL_INLINE __m256 widen(__m128i a) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(a), 16));
}
COVRL_INLINE Vec load(const Bfloat16* p) {
  const __m128i* halves = reinterpret_cast<const __m128i*>(p);
  return {widen(_mm_loadu_si128(halves)), widen(_mm_loadu_si128(halves + 1))};
}
COVRL_INLINE Vec load(const Bfloat16* p, int64_t count) {
  Bfloat16 lanes[kLanes] = {};
  std::memcpy(lanes, p, static_cast<size_t>(count) * sizeof(Bfloat16));
  return load(lanes);
}

COVRL_INLINE __m256 pair(__m256 even, __m256 odd) {
  return _mm256_castsi256_ps(
      _mm256_or_si256(_mm256_castps_si256(odd), _mm256_srli_epi32(_mm256_castps_si256(even), 16)));
}
COVRL_INLINE Vec pair(Vec even, Vec odd) {
  return {pair(even.low, odd.low), pair(even.high, odd.high)};
}
COVRL_INLINE __m256 odd_half(__m256 a) {
  return _mm256_castsi256_ps(
      _mm256_and_si256(_mm256_castps_si256(a), _mm256_set1_epi32(static_cast<int>(0xffff0000u))));
}
COVRL_INLINE Vec odd_half(Vec a) { return {odd_half(a.low), odd_half(a.high)}; }
COVRL_INLINE __m256 even_half(__m256 a) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), 16));
}
COVRL_INLINE Vec even_half(Vec a) { return {even_half(a.low), even_half(a.high)}; }

// An 8 by 8 block.
COVRL_INLINE void transpose(const __m256 (&rows)[8], float* out, int64_t stride) {
  __m256 pairs[8], quads[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    quads[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
    quads[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
    quads[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
    quads[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(out + i * stride, _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x20));
    _mm256_storeu_ps(out + (i + 4) * stride, _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x31));
  }
}

COVRL_INLINE void transpose(const Vec (&rows)[kLanes], float* out, int64_t stride) {
  for (int half = 0; half < 16; half += 8) {
    __m256 low[8], high[8];
    for (int i = 0; i < 8; ++i) {
      low[i] = rows[half + i].low;
      high[i] = rows[half + i].high;
    }
    transpose(low, out + half, stride);
    transpose(high, out + 8 * stride + half, stride);
  }
}

COVRL_INLINE void split(Vec a, __m256& low, __m256& high) {
  low = a.low;
  high = a.high;
}

#else

struct Vec {
  float lane[kLanes];
};

template <class Function>
COVRL_INLINE Vec each(const Function& function) {
  Vec result;
  for (int i = 0; i < kLanes; ++i) result.lane[i] = function(i);
  return result;
}

COVRL_INLINE uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
COVRL_INLINE float float_of(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

COVRL_INLINE Vec zero() { return Vec{}; }
COVRL_INLINE Vec broadcast(float x) {
  return each([&](int) { return x; });
}
COVRL_INLINE Vec load(const float* p) {
  return each([&](int i) { return p[i]; });
}
COVRL_INLINE Vec load(const float* p, int64_t count) {
  return each([&](int i) { return i < count ? p[i] : 0.0f; });
}
COVRL_INLINE void store(float* p, const Vec& a) { std::memcpy(p, a.lane, sizeof a.lane); }
COVRL_INLINE void store(float* p, const Vec& a, int64_t count) {
  std::memcpy(p, a.lane, static_cast<size_t>(count) * sizeof(float));
}
COVRL_INLINE Vec add(const Vec& a, const Vec& b) {
  return each([&](int i) { return a.lane[i] + b.lane[i]; });
}
COVRL_INLINE Vec sub(const Vec& a, const Vec& b) {
  return each([&](int i) { return a.lane[i] - b.lane[i]; });
}
COVRL_INLINE Vec mul(const Vec& a, const Vec& b) {
  return each([&](int i) { return a.lane[i] * b.lane[i]; });
}
COVRL_INLINE Vec div(const Vec& a, const Vec& b) {
  return each([&](int i) { return a.lane[i] / b.lane[i]; });
}
COVRL_INLINE Vec fma(const Vec& a, const Vec& b, const Vec& c) {
  return each([&](int i) { return __builtin_fmaf(a.lane[i], b.lane[i], c.lane[i]); });
}
COVRL_INLINE Vec max(const Vec& a, const Vec& b) {
  return each([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
}
COVRL_INLINE Vec min(const Vec& a, const Vec& b) {
  return each([&](int i) { return a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; });
}
COVRL_INLINE Vec zero_below(const Vec& a, const Vec& limit, const Vec& b) {
  return each([&](int i) { return a.lane[i] < limit.lane[i] ? 0.0f : b.lane[i]; });
}
COVRL_INLINE Vec power_of_two(const Vec& a) {
  return each([&](int i) { return float_of((bits_of(a.lane[i]) + 127u) << 23); });
}
COVRL_INLINE Vec round_to_bfloat16(const Vec& a) {
  return each([&](int i) {
    const uint32_t bits = bits_of(a.lane[i]);
    return a.lane[i] != a.lane[i] ? a.lane[i]
                                  : float_of((bits + ((bits >> 16) & 1u) + 0x7fffu) & 0xffff0000u);
  });
}
COVRL_INLINE Vec load(const Bfloat16* p, int64_t count) {
  return each(
      [&](int i) { return i < count ? float_of(static_cast<uint32_t>(p[i]) << 16) : 0.0f; });
}
COVRL_INLINE Vec load(const Bfloat16* p) { return load(p, kLanes); }
COVRL_INLINE Vec pair(const Vec& even, const Vec& odd) {
  return each([&](int i) { return float_of(bits_of(odd.lane[i]) | bits_of(even.lane[i]) >> 16); });
}
COVRL_INLINE Vec odd_half(const Vec& a) {
  return each([&](int i) { return float_of(bits_of(a.lane[i]) & 0xffff0000u); });
}
COVRL_INLINE Vec even_half(const Vec& a) {
  return each([&](int i) { return float_of(bits_of(a.lane[i]) << 16); });
}
COVRL_INLINE void transpose(const Vec (&rows)[kLanes], float* out, int64_t stride) {
  for (int k = 0; k < kLanes; ++k) {
    for (int r = 0; r < kLanes; ++r) out[k * stride + r] = rows[r].lane[k];
  }
}

#endif

#if defined(__AVX2__)

COVRL_INLINE float sum_lanes(Vec a) {
  __m256 low, high;
  split(a, low, high);
  const __m256 eight = _mm256_add_ps(low, high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

COVRL_INLINE float max_lanes(Vec a) {
  __m256 low, high;
  split(a, low, high);
  const __m256 eight = _mm256_max_ps(low, high);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

#else

// Halves are added lane by lane until one lane is left.
COVRL_INLINE float sum_lanes(Vec a) {
  for (int half = kLanes / 2; half >= 1; half /= 2) {
    for (int i = 0; i < half; ++i) a.lane[i] += a.lane[i + half];
  }
  return a.lane[0];
}

COVRL_INLINE float max_lanes(Vec a) {
  for (int half = kLanes / 2; half >= 1; half /= 2) {
    for (int i = 0; i < half; ++i)
      a.lane[i] = a.lane[i] > a.lane[i + half] ? a.lane[i] : a.lane[i + half];
  }
  return a.lane[0];
}

#endif

}  // namespace
}  // namespace covrl::kernels
