// Sums of the moments, the tokens whose covariance lies in a band, and their draws.
#pragma once

#include <limits>

#include "kernels/covariance_cpu.h"
#include "kernels/simd/doubles.h"

namespace covrl::kernels {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A column's sums, lane by lane.
struct ColumnLanes {
  Doubles high_constant, low_constant;
  Integers high = integers(0), low = integers(0);
  Doubles smallest = doubles(kInfinity);
  Doubles largest = doubles(-kInfinity);

  explicit ColumnLanes(SplitConstants split)
      : high_constant(doubles(split.high)), low_constant(doubles(split.low)) {}
};

// Of 0 outside the lanes.
COVRL_INLINE void add_values(ColumnLanes& column, Doubles x, uint32_t lanes) {
  const Doubles high = add(x, column.high_constant);
  column.high = add(column.high, bits_of(high));
  const Doubles rest = sub(x, sub(high, column.high_constant));
  column.low = add(column.low, bits_of(add(rest, column.low_constant)));
  column.smallest = min(column.smallest, x, lanes);
  column.largest = max(column.largest, x, lanes);
}

// The integers of `count` numbers, less the bits of the constant in each.
COVRL_INLINE int64_t total_of(Integers sums, Doubles constant, int64_t count) {
  int64_t lanes[kDoubles], offset[kDoubles];
  store_integers(lanes, sums);
  store_integers(offset, bits_of(constant));
  uint64_t total = 0;
  for (const int64_t lane : lanes) total += static_cast<uint64_t>(lane);
  return static_cast<int64_t>(total -
                              static_cast<uint64_t>(count) * static_cast<uint64_t>(offset[0]));
}

COVRL_INLINE void store_sums(const ColumnLanes& column, int64_t count, ColumnSums& sums) {
  sums.high = total_of(column.high, column.high_constant, count);
  sums.low = total_of(column.low, column.low_constant, count);
  double smallest[kDoubles], largest[kDoubles];
  store_doubles(smallest, column.smallest);
  store_doubles(largest, column.largest);
  sums.smallest = smallest[0];
  sums.largest = largest[0];
  for (int i = 1; i < kDoubles; ++i) {
    sums.smallest = smallest[i] < sums.smallest ? smallest[i] : sums.smallest;
    sums.largest = largest[i] > sums.largest ? largest[i] : sums.largest;
  }
}

constexpr int64_t kAhead = 1024;  // tokens between what is fetched and what is used

// The processor's own prefetching falls behind three streams that are read a part of a line at a
// time: without this, inputs from memory take three times as long.
template <class T>
COVRL_INLINE void fetch_group(const T* values) {
  for (int64_t i = 0; i < kMaskGroup; i += 64 / static_cast<int64_t>(sizeof(T)))
    __builtin_prefetch(values + i);
}

// Calls group(first, range) for each kMaskGroup tokens; the last ones are padded with tokens
// outside the mask.
template <class T, class Group>
COVRL_INLINE void for_groups(const CovarianceRange<T>& range, const Group& group) {
  int64_t first = 0;
  for (; first + kMaskGroup <= range.count; first += kMaskGroup) {
    fetch_group(range.logprob + first + kAhead);
    fetch_group(range.advantage + first + kAhead);
    fetch_group(range.mask + first + kAhead);
    group(first, {range.logprob + first, range.advantage + first, range.mask + first, kMaskGroup});
  }
  if (first == range.count) return;
  T logprob[kMaskGroup] = {}, advantage[kMaskGroup] = {};
  bool mask[kMaskGroup] = {};
  for (int64_t t = first; t < range.count; ++t) {
    logprob[t - first] = range.logprob[t];
    advantage[t - first] = range.advantage[t];
    mask[t - first] = range.mask[t];
  }
  group(first, {logprob, advantage, mask, kMaskGroup});
}

// mask_bits of a group of which `count` bools exist.
COVRL_INLINE uint64_t first_mask_bits(const bool* mask, int64_t count) {
  if (count >= kMaskGroup) return mask_bits(mask);
  bool padded[kMaskGroup] = {};
  std::memcpy(padded, mask, static_cast<size_t>(count));
  return mask_bits(padded);
}

template <class T>
static void moment_sums(const CovarianceRange<T>& range, SplitConstants logprob_split,
                        SplitConstants advantage_split, MomentSums& sums) {
  ColumnLanes logprob(logprob_split), advantage(advantage_split);
  sums.count = sums.num_nan = 0;
  int64_t num_added = 0;
  for_groups(range, [&](int64_t, const CovarianceRange<T>& group) {
    const uint64_t inside = mask_bits(group.mask);
    if (inside == 0) return;
    sums.count += __builtin_popcountll(inside);
    num_added += kMaskGroup;
    uint32_t nan = 0;
    for (int64_t i = 0; i < kMaskGroup; i += kDoubles) {
      const uint32_t lanes = static_cast<uint32_t>(inside >> i) & 0xffu;
      const Doubles x = load_doubles(group.logprob + i, lanes),
                    a = load_doubles(group.advantage + i, lanes);
      add_values(logprob, x, lanes);
      add_values(advantage, a, lanes);
      nan |= either_is_nan(x, a);
    }
    sums.num_nan += nan != 0 ? 1 : 0;
  });
  store_sums(logprob, num_added, sums.logprob);
  store_sums(advantage, num_added, sums.advantage);
}

template <class T>
static int64_t covariance_band(const CovarianceRange<T>& range, const CovarianceLimits& limits,
                               int32_t* places) {
  const Doubles mean_x = doubles(limits.mean_logprob), mean_a = doubles(limits.mean_advantage),
                above = doubles(limits.lower), below = doubles(limits.upper);
  int64_t number = 0;
  for_groups(range, [&](int64_t first, const CovarianceRange<T>& group) {
    uint64_t bits = 0;
    for (int64_t i = 0; i < kMaskGroup; i += kDoubles) {
      const Doubles covariance = mul(sub(load_doubles(group.logprob + i), mean_x),
                                     sub(load_doubles(group.advantage + i), mean_a));
      bits |= static_cast<uint64_t>(is_between(covariance, above, below)) << i;
    }
    if (bits == 0) return;
    bits &= mask_bits(group.mask);
    if (limits.excluded != nullptr)
      bits &= ~first_mask_bits(limits.excluded + first, range.count - first);
    number += store_places(places + number, bits, static_cast<int32_t>(first));
  });
  return number;
}

// Numbers of 32 bits in the low halves; what the high halves hold has no effect.
COVRL_INLINE Integers philox(Integers id, const DrawKey& draw_key) {
  Integers c0 = integers(draw_key.step), c1 = high_half(id), c2 = id, c3 = integers(0);
  uint32_t key[2];
  std::memcpy(key, &draw_key.key, sizeof key);
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    const Integers product0 = multiply_low_halves(c0, integers(0xD2511F53)),
                   product1 = multiply_low_halves(c2, integers(0xCD9E8D57));
    c0 = exclusive_or(high_half(product1), c1, integers(key[0]));
    c1 = product1;
    c2 = exclusive_or(high_half(product0), c3, integers(key[1]));
    c3 = product0;
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return join_low_halves(c0, c1);
}

static int64_t small_draws(const int64_t* ids, int64_t count, const DrawKey& key, uint64_t limit,
                           uint64_t* bits, int32_t* indices) {
  const Integers largest = integers(static_cast<int64_t>(limit));
  int64_t number = 0;
  for (int64_t first = 0; first < count; first += kDoubles) {
    const Integers draws = philox(load_integers(ids + first), key);
    uint32_t small = is_at_most(draws, largest);
    if (small == 0) continue;
    int64_t lanes[kDoubles];
    store_integers(lanes, draws);
    for (; small != 0; small &= small - 1) {
      const int lane = __builtin_ctz(small);
      if (first + lane >= count) break;
      bits[number] = static_cast<uint64_t>(lanes[lane]);
      indices[number++] = static_cast<int32_t>(first + lane);
    }
  }
  return number;
}

}  // namespace
}  // namespace covrl::kernels
