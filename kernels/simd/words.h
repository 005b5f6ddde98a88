// Sixteen 32-bit integers, and floats in some lanes only: AVX-512, AVX2 or plain C++, as this
// file's includer is compiled; see vec.h. Sets of lanes are bits, lane 0 the lowest.
#pragma once

#include "kernels/simd/vec.h"

namespace covrl::kernels {
namespace {

#if defined(__AVX512F__)

using Words = __m512i;

COVRL_INLINE Words no_words() { return _mm512_setzero_si512(); }
COVRL_INLINE Words words_of(Vec a) { return _mm512_castps_si512(a); }
COVRL_INLINE Words add_words(Words a, Words b) { return _mm512_add_epi32(a, b); }
COVRL_INLINE void store_words(int32_t* p, Words a) { _mm512_storeu_si512(p, a); }
// Zero in the other lanes.
COVRL_INLINE Vec load_lanes(const float* p, uint32_t lanes) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(lanes), p);
}
// The smaller and the larger, in the lanes given; the first elsewhere and beside NaN.
COVRL_INLINE Vec min(Vec a, Vec b, uint32_t lanes) {
  return _mm512_mask_min_ps(a, static_cast<__mmask16>(lanes), b, a);
}
COVRL_INLINE Vec max(Vec a, Vec b, uint32_t lanes) {
  return _mm512_mask_max_ps(a, static_cast<__mmask16>(lanes), b, a);
}
COVRL_INLINE uint32_t either_is_nan(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q); }

#elif defined(__AVX2__)

struct Words {
  __m256i low, high;
};

COVRL_INLINE Words no_words() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
COVRL_INLINE Words words_of(Vec a) {
  return {_mm256_castps_si256(a.low), _mm256_castps_si256(a.high)};
}
COVRL_INLINE Words add_words(Words a, Words b) {
  return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
}
COVRL_INLINE void store_words(int32_t* p, Words a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.low);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), a.high);
}
COVRL_INLINE __m256 eight_lanes(uint32_t lanes) {
  const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i set = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(lanes)), bit);
  return _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, bit));
}
COVRL_INLINE Vec load_lanes(const float* p, uint32_t lanes) {
  return {_mm256_and_ps(_mm256_loadu_ps(p), eight_lanes(lanes)),
          _mm256_and_ps(_mm256_loadu_ps(p + 8), eight_lanes(lanes >> 8))};
}
COVRL_INLINE Vec choose(Vec a, Vec b, uint32_t lanes) {
  return {_mm256_blendv_ps(b.low, a.low, eight_lanes(lanes)),
          _mm256_blendv_ps(b.high, a.high, eight_lanes(lanes >> 8))};
}
COVRL_INLINE Vec min(Vec a, Vec b, uint32_t lanes) {
  return choose({_mm256_min_ps(b.low, a.low), _mm256_min_ps(b.high, a.high)}, a, lanes);
}
COVRL_INLINE Vec max(Vec a, Vec b, uint32_t lanes) {
  return choose({_mm256_max_ps(b.low, a.low), _mm256_max_ps(b.high, a.high)}, a, lanes);
}
COVRL_INLINE uint32_t either_is_nan(Vec a, Vec b) {
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a.low, b.low, _CMP_UNORD_Q)) |
                               _mm256_movemask_ps(_mm256_cmp_ps(a.high, b.high, _CMP_UNORD_Q)));
}

#else

struct Words {
  uint32_t lane[kLanes];
};

COVRL_INLINE Words no_words() { return Words{}; }
COVRL_INLINE Words words_of(const Vec& a) {
  Words result;
  std::memcpy(&result, &a, sizeof result);
  return result;
}
COVRL_INLINE Words add_words(Words a, const Words& b) {
  for (int i = 0; i < kLanes; ++i) a.lane[i] += b.lane[i];
  return a;
}
COVRL_INLINE void store_words(int32_t* p, const Words& a) { std::memcpy(p, &a, sizeof a); }
COVRL_INLINE Vec load_lanes(const float* p, uint32_t lanes) {
  return each([&](int i) { return lanes >> i & 1u ? p[i] : 0.0f; });
}
COVRL_INLINE Vec min(const Vec& a, const Vec& b, uint32_t lanes) {
  return each(
      [&](int i) { return (lanes >> i & 1u) && b.lane[i] < a.lane[i] ? b.lane[i] : a.lane[i]; });
}
COVRL_INLINE Vec max(const Vec& a, const Vec& b, uint32_t lanes) {
  return each(
      [&](int i) { return (lanes >> i & 1u) && b.lane[i] > a.lane[i] ? b.lane[i] : a.lane[i]; });
}
COVRL_INLINE uint32_t either_is_nan(const Vec& a, const Vec& b) {
  uint32_t nan = 0;
  for (int i = 0; i < kLanes; ++i) nan |= a.lane[i] != a.lane[i] || b.lane[i] != b.lane[i];
  return nan;
}

#endif

}  // namespace
}  // namespace covrl::kernels
