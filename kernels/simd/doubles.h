// Eight doubles, and the 64-bit integers of their size: AVX-512, AVX2 or plain C++, as this file's
// includer is compiled. Every operation rounds once; see vec.h. Sets of lanes are bits, lane 0 the
// lowest.
#pragma once

#include <limits>

#include "kernels/simd/vec.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kDoubles = 8;
constexpr int64_t kMaskGroup = 64;  // bools that mask_bits reads

#if defined(__AVX512F__)

using Doubles = __m512d;
using Integers = __m512i;

COVRL_INLINE Doubles doubles(double x) { return _mm512_set1_pd(x); }
COVRL_INLINE Integers integers(int64_t x) { return _mm512_set1_epi64(x); }
COVRL_INLINE Doubles load_doubles(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
COVRL_INLINE Doubles load_doubles(const double* p) { return _mm512_loadu_pd(p); }
// Zero in the other lanes.
COVRL_INLINE Doubles load_doubles(const float* p, uint32_t lanes) {
  return _mm512_maskz_cvtps_pd(static_cast<__mmask8>(lanes), _mm256_loadu_ps(p));
}
COVRL_INLINE Doubles load_doubles(const double* p, uint32_t lanes) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>(lanes), p);
}
COVRL_INLINE void store_doubles(double* p, Doubles a) { _mm512_storeu_pd(p, a); }
COVRL_INLINE void store_integers(int64_t* p, Integers a) { _mm512_storeu_si512(p, a); }
COVRL_INLINE Doubles add(Doubles a, Doubles b) { return _mm512_add_pd(a, b); }
COVRL_INLINE Doubles sub(Doubles a, Doubles b) { return _mm512_sub_pd(a, b); }
COVRL_INLINE Doubles mul(Doubles a, Doubles b) { return _mm512_mul_pd(a, b); }
COVRL_INLINE Integers add(Integers a, Integers b) { return _mm512_add_epi64(a, b); }
COVRL_INLINE Integers bits_of(Doubles a) { return _mm512_castpd_si512(a); }
// The smaller and the larger, in the lanes given; the first elsewhere and beside NaN.
COVRL_INLINE Doubles min(Doubles a, Doubles b, uint32_t lanes) {
  return _mm512_mask_min_pd(a, static_cast<__mmask8>(lanes), b, a);
}
COVRL_INLINE Doubles max(Doubles a, Doubles b, uint32_t lanes) {
  return _mm512_mask_max_pd(a, static_cast<__mmask8>(lanes), b, a);
}
COVRL_INLINE uint32_t either_is_nan(Doubles a, Doubles b) {
  return _mm512_cmp_pd_mask(a, b, _CMP_UNORD_Q);
}
COVRL_INLINE uint32_t is_between(Doubles a, Doubles lower, Doubles upper) {
  return _mm512_mask_cmp_pd_mask(_mm512_cmp_pd_mask(a, lower, _CMP_GT_OQ), a, upper, _CMP_LT_OQ);
}
COVRL_INLINE uint64_t mask_bits(const bool* mask) {
  const __m512i bytes = _mm512_loadu_si512(mask);
  return _mm512_test_epi8_mask(bytes, bytes);
}
COVRL_INLINE Integers load_integers(const int64_t* p) { return _mm512_loadu_si512(p); }
COVRL_INLINE Integers load_integers(const int32_t* p) {
  return _mm512_cvtepi32_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
COVRL_INLINE Integers exclusive_or(Integers a, Integers b, Integers c) {
  return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}
COVRL_INLINE Integers high_half(Integers a) { return _mm512_srli_epi64(a, 32); }
// The product of the low halves.
COVRL_INLINE Integers multiply_low_halves(Integers a, Integers b) { return _mm512_mul_epu32(a, b); }
// Low half of a, moved up, and low half of b.
COVRL_INLINE Integers join_low_halves(Integers a, Integers b) {
  return _mm512_mask_shuffle_epi32(b, 0xaaaa, a, _MM_PERM_CCAA);
}
// As unsigned numbers.
COVRL_INLINE uint32_t is_at_most(Integers a, Integers b) { return _mm512_cmple_epu64_mask(a, b); }
// first + the places of the bits that are set, ascending; returns how many. 64 may be written.
COVRL_INLINE int64_t store_places(int32_t* places, uint64_t bits, int32_t first) {
  const __m512i count_up = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  int64_t number = 0;
  for (int part = 0; part < 4; ++part) {
    const __mmask16 inside = static_cast<__mmask16>(bits >> 16 * part);
    const __m512i place = _mm512_add_epi32(count_up, _mm512_set1_epi32(first + 16 * part));
    _mm512_storeu_si512(places + number, _mm512_maskz_compress_epi32(inside, place));
    number += __builtin_popcount(inside);
  }
  return number;
}

#elif defined(__AVX2__)

struct Doubles {
  __m256d low, high;
};
struct Integers {
  __m256i low, high;
};

COVRL_INLINE Doubles doubles(double x) { return {_mm256_set1_pd(x), _mm256_set1_pd(x)}; }
COVRL_INLINE Integers integers(int64_t x) { return {_mm256_set1_epi64x(x), _mm256_set1_epi64x(x)}; }
COVRL_INLINE Doubles load_doubles(const float* p) {
  return {_mm256_cvtps_pd(_mm_loadu_ps(p)), _mm256_cvtps_pd(_mm_loadu_ps(p + 4))};
}
COVRL_INLINE Doubles load_doubles(const double* p) {
  return {_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)};
}
COVRL_INLINE __m256d lane_mask(uint32_t lanes, int64_t first) {
  const __m256i bit = _mm256_slli_epi64(_mm256_setr_epi64x(1, 2, 4, 8), static_cast<int>(first));
  const __m256i set = _mm256_and_si256(_mm256_set1_epi64x(lanes), bit);
  return _mm256_castsi256_pd(_mm256_cmpeq_epi64(set, bit));
}
COVRL_INLINE Doubles lane_mask(uint32_t lanes) {
  return {lane_mask(lanes, 0), lane_mask(lanes, 4)};
}
template <class T>
COVRL_INLINE Doubles load_doubles(const T* p, uint32_t lanes) {
  const Doubles a = load_doubles(p), inside = lane_mask(lanes);
  return {_mm256_and_pd(a.low, inside.low), _mm256_and_pd(a.high, inside.high)};
}
COVRL_INLINE void store_doubles(double* p, Doubles a) {
  _mm256_storeu_pd(p, a.low);
  _mm256_storeu_pd(p + 4, a.high);
}
COVRL_INLINE void store_integers(int64_t* p, Integers a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.low);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 4), a.high);
}
COVRL_INLINE Doubles add(Doubles a, Doubles b) {
  return {_mm256_add_pd(a.low, b.low), _mm256_add_pd(a.high, b.high)};
}
COVRL_INLINE Doubles sub(Doubles a, Doubles b) {
  return {_mm256_sub_pd(a.low, b.low), _mm256_sub_pd(a.high, b.high)};
}
COVRL_INLINE Doubles mul(Doubles a, Doubles b) {
  return {_mm256_mul_pd(a.low, b.low), _mm256_mul_pd(a.high, b.high)};
}
COVRL_INLINE Integers add(Integers a, Integers b) {
  return {_mm256_add_epi64(a.low, b.low), _mm256_add_epi64(a.high, b.high)};
}
COVRL_INLINE Integers bits_of(Doubles a) {
  return {_mm256_castpd_si256(a.low), _mm256_castpd_si256(a.high)};
}
COVRL_INLINE Doubles choose(Doubles mask, Doubles a, Doubles b) {
  return {_mm256_blendv_pd(b.low, a.low, mask.low), _mm256_blendv_pd(b.high, a.high, mask.high)};
}
COVRL_INLINE Doubles min(Doubles a, Doubles b, uint32_t lanes) {
  return choose(lane_mask(lanes), {_mm256_min_pd(b.low, a.low), _mm256_min_pd(b.high, a.high)}, a);
}
COVRL_INLINE Doubles max(Doubles a, Doubles b, uint32_t lanes) {
  return choose(lane_mask(lanes), {_mm256_max_pd(b.low, a.low), _mm256_max_pd(b.high, a.high)}, a);
}
COVRL_INLINE uint32_t lanes_of(__m256d low, __m256d high) {
  return static_cast<uint32_t>(_mm256_movemask_pd(low) | _mm256_movemask_pd(high) << 4);
}
COVRL_INLINE uint32_t either_is_nan(Doubles a, Doubles b) {
  return lanes_of(_mm256_cmp_pd(a.low, b.low, _CMP_UNORD_Q),
                  _mm256_cmp_pd(a.high, b.high, _CMP_UNORD_Q));
}
COVRL_INLINE uint32_t is_between(Doubles a, Doubles lower, Doubles upper) {
  return lanes_of(_mm256_and_pd(_mm256_cmp_pd(a.low, lower.low, _CMP_GT_OQ),
                                _mm256_cmp_pd(a.low, upper.low, _CMP_LT_OQ)),
                  _mm256_and_pd(_mm256_cmp_pd(a.high, lower.high, _CMP_GT_OQ),
                                _mm256_cmp_pd(a.high, upper.high, _CMP_LT_OQ)));
}
COVRL_INLINE uint64_t mask_bits(const bool* mask) {
  uint64_t bits = 0;
  for (int part = 0; part < 2; ++part) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(mask + 32 * part));
    const int clear = _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256()));
    bits |= static_cast<uint64_t>(~static_cast<uint32_t>(clear)) << 32 * part;
  }
  return bits;
}
COVRL_INLINE Integers load_integers(const int64_t* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 4))};
}
COVRL_INLINE Integers load_integers(const int32_t* p) {
  const __m128i* halves = reinterpret_cast<const __m128i*>(p);
  return {_mm256_cvtepi32_epi64(_mm_loadu_si128(halves)),
          _mm256_cvtepi32_epi64(_mm_loadu_si128(halves + 1))};
}
COVRL_INLINE Integers exclusive_or(Integers a, Integers b, Integers c) {
  return {_mm256_xor_si256(_mm256_xor_si256(a.low, b.low), c.low),
          _mm256_xor_si256(_mm256_xor_si256(a.high, b.high), c.high)};
}
COVRL_INLINE Integers high_half(Integers a) {
  return {_mm256_srli_epi64(a.low, 32), _mm256_srli_epi64(a.high, 32)};
}
COVRL_INLINE Integers multiply_low_halves(Integers a, Integers b) {
  return {_mm256_mul_epu32(a.low, b.low), _mm256_mul_epu32(a.high, b.high)};
}
COVRL_INLINE __m256i join_low_halves(__m256i a, __m256i b) {
  return _mm256_blend_epi32(b, _mm256_slli_epi64(a, 32), 0xaa);
}
COVRL_INLINE Integers join_low_halves(Integers a, Integers b) {
  return {join_low_halves(a.low, b.low), join_low_halves(a.high, b.high)};
}
COVRL_INLINE __m256d is_above(__m256i a, __m256i b) {
  constexpr int64_t kTopBit = std::numeric_limits<int64_t>::min();
  const __m256i top = _mm256_set1_epi64x(kTopBit);
  return _mm256_castsi256_pd(
      _mm256_cmpgt_epi64(_mm256_xor_si256(a, top), _mm256_xor_si256(b, top)));
}
COVRL_INLINE uint32_t is_at_most(Integers a, Integers b) {
  return lanes_of(is_above(a.low, b.low), is_above(a.high, b.high)) ^ 0xffu;
}

#else

struct Doubles {
  double lane[kDoubles];
};
struct Integers {
  int64_t lane[kDoubles];
};

template <class Function>
COVRL_INLINE Doubles each_double(const Function& function) {
  Doubles result;
  for (int i = 0; i < kDoubles; ++i) result.lane[i] = function(i);
  return result;
}
template <class Function>
COVRL_INLINE uint32_t each_bit(const Function& function) {
  uint32_t bits = 0;
  for (int i = 0; i < kDoubles; ++i) bits |= (function(i) ? 1u : 0u) << i;
  return bits;
}

COVRL_INLINE Doubles doubles(double x) {
  return each_double([&](int) { return x; });
}
COVRL_INLINE Integers integers(int64_t x) { return {{x, x, x, x, x, x, x, x}}; }
template <class T>
COVRL_INLINE Doubles load_doubles(const T* p) {
  return each_double([&](int i) { return static_cast<double>(p[i]); });
}
template <class T>
COVRL_INLINE Doubles load_doubles(const T* p, uint32_t lanes) {
  return each_double([&](int i) { return lanes >> i & 1u ? static_cast<double>(p[i]) : 0.0; });
}
COVRL_INLINE void store_doubles(double* p, const Doubles& a) {
  for (int i = 0; i < kDoubles; ++i) p[i] = a.lane[i];
}
COVRL_INLINE void store_integers(int64_t* p, const Integers& a) {
  for (int i = 0; i < kDoubles; ++i) p[i] = a.lane[i];
}
COVRL_INLINE Doubles add(const Doubles& a, const Doubles& b) {
  return each_double([&](int i) { return a.lane[i] + b.lane[i]; });
}
COVRL_INLINE Doubles sub(const Doubles& a, const Doubles& b) {
  return each_double([&](int i) { return a.lane[i] - b.lane[i]; });
}
COVRL_INLINE Doubles mul(const Doubles& a, const Doubles& b) {
  return each_double([&](int i) { return a.lane[i] * b.lane[i]; });
}
COVRL_INLINE Integers add(Integers a, const Integers& b) {
  for (int i = 0; i < kDoubles; ++i)
    a.lane[i] =
        static_cast<int64_t>(static_cast<uint64_t>(a.lane[i]) + static_cast<uint64_t>(b.lane[i]));
  return a;
}
COVRL_INLINE Integers bits_of(const Doubles& a) {
  Integers bits;
  std::memcpy(&bits, &a, sizeof bits);
  return bits;
}
COVRL_INLINE Doubles min(const Doubles& a, const Doubles& b, uint32_t lanes) {
  return each_double(
      [&](int i) { return (lanes >> i & 1u) && b.lane[i] < a.lane[i] ? b.lane[i] : a.lane[i]; });
}
COVRL_INLINE Doubles max(const Doubles& a, const Doubles& b, uint32_t lanes) {
  return each_double(
      [&](int i) { return (lanes >> i & 1u) && b.lane[i] > a.lane[i] ? b.lane[i] : a.lane[i]; });
}
COVRL_INLINE uint32_t either_is_nan(const Doubles& a, const Doubles& b) {
  return each_bit([&](int i) { return a.lane[i] != a.lane[i] || b.lane[i] != b.lane[i]; });
}
COVRL_INLINE uint32_t is_between(const Doubles& a, const Doubles& lower, const Doubles& upper) {
  return each_bit([&](int i) { return a.lane[i] > lower.lane[i] && a.lane[i] < upper.lane[i]; });
}
COVRL_INLINE uint64_t mask_bits(const bool* mask) {
  uint64_t bits = 0;
  for (int i = 0; i < kMaskGroup; ++i) bits |= (mask[i] ? uint64_t{1} : 0) << i;
  return bits;
}
COVRL_INLINE Integers load_integers(const int64_t* p) {
  Integers result;
  std::memcpy(&result, p, sizeof result);
  return result;
}
template <class Function>
COVRL_INLINE Integers each_integer(const Function& function) {
  Integers result;
  for (int i = 0; i < kDoubles; ++i) result.lane[i] = static_cast<int64_t>(function(i));
  return result;
}
COVRL_INLINE Integers load_integers(const int32_t* p) {
  return each_integer([&](int i) { return p[i]; });
}
COVRL_INLINE uint64_t low_half(int64_t a) { return static_cast<uint64_t>(a) & 0xffffffffu; }
COVRL_INLINE Integers exclusive_or(const Integers& a, const Integers& b, const Integers& c) {
  return each_integer([&](int i) { return a.lane[i] ^ b.lane[i] ^ c.lane[i]; });
}
COVRL_INLINE Integers high_half(const Integers& a) {
  return each_integer([&](int i) { return static_cast<uint64_t>(a.lane[i]) >> 32; });
}
COVRL_INLINE Integers multiply_low_halves(const Integers& a, const Integers& b) {
  return each_integer([&](int i) { return low_half(a.lane[i]) * low_half(b.lane[i]); });
}
COVRL_INLINE Integers join_low_halves(const Integers& a, const Integers& b) {
  return each_integer([&](int i) { return low_half(a.lane[i]) << 32 | low_half(b.lane[i]); });
}
COVRL_INLINE uint32_t is_at_most(const Integers& a, const Integers& b) {
  return each_bit(
      [&](int i) { return static_cast<uint64_t>(a.lane[i]) <= static_cast<uint64_t>(b.lane[i]); });
}

#endif

#if !defined(__AVX512F__)

COVRL_INLINE int64_t store_places(int32_t* places, uint64_t bits, int32_t first) {
  int64_t number = 0;
  for (; bits != 0; bits &= bits - 1) places[number++] = first + __builtin_ctzll(bits);
  return number;
}

#endif

}  // namespace
}  // namespace covrl::kernels
