// Sums of the moments, the tokens whose covariance lies in a band, and their draws.
#pragma once

#include <limits>

#include "kernels/covariance_cpu.h"
#include "kernels/simd/doubles.h"
#include "kernels/simd/words.h"

namespace covrl::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

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

template <class Number>
COVRL_INLINE void store_extremes(const Number* smallest, const Number* largest, int64_t count,
                                 ColumnSums& sums) {
  Number least = smallest[0], most = largest[0];
  for (int64_t i = 1; i < count; ++i) {
    least = smallest[i] < least ? smallest[i] : least;
    most = largest[i] > most ? largest[i] : most;
  }
  sums.smallest = static_cast<double>(least);
  sums.largest = static_cast<double>(most);
}

COVRL_INLINE void store_sums(const ColumnLanes& column, int64_t count, ColumnSums& sums) {
  sums.high = total_of(column.high, column.high_constant, count);
  sums.low = total_of(column.low, column.low_constant, count);
  double smallest[kDoubles], largest[kDoubles];
  store_doubles(smallest, column.smallest);
  store_doubles(largest, column.largest);
  store_extremes(smallest, largest, kDoubles, sums);
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

// Floats below kQuickMomentSize split as in covariance_moments.h, but in float arithmetic and into
// three parts, multiples of 2^-15, 2^-38 and, rounded, 2^-60: half the instructions. What is summed
// is the same number, so that the mean is.
constexpr float kQuickParts[] = {0x1.8p8f, 0x1.8p-15f, 0x1.8p-37f};  // 1.5 * 2^23 of each unit
constexpr int64_t kQuickGroups = 64;  // a lane's sum of 256 parts, each up to 2^22, fits in 32 bits

struct QuickColumn {
  Words parts[3] = {no_words(), no_words(), no_words()};
  Vec smallest = broadcast(kInfinity);
  Vec largest = broadcast(-kInfinity);
};

COVRL_INLINE void add_values(QuickColumn& column, Vec x, uint32_t lanes) {
  Vec rest = x;
#pragma GCC unroll 3
  for (int part = 0; part < 3; ++part) {
    const Vec constant = broadcast(kQuickParts[part]), shown = add(rest, constant);
    column.parts[part] = add_words(column.parts[part], words_of(shown));
    rest = sub(rest, sub(shown, constant));
  }
  column.smallest = min(column.smallest, x, lanes);
  column.largest = max(column.largest, x, lanes);
}

// Moves the parts of num_groups groups to the sums.
COVRL_INLINE void drain(QuickColumn& column, int64_t num_groups, ColumnSums& sums) {
  int64_t totals[3] = {};
  for (int part = 0; part < 3; ++part) {
    int32_t lanes[kLanes], offset[kLanes];
    store_words(lanes, column.parts[part]);
    store_words(offset, words_of(broadcast(kQuickParts[part])));
    const uint32_t offsets = static_cast<uint32_t>(num_groups * (kMaskGroup / kLanes)) *
                             static_cast<uint32_t>(offset[0]);
    for (const int32_t lane : lanes)
      totals[part] += static_cast<int32_t>(static_cast<uint32_t>(lane) - offsets);
    column.parts[part] = no_words();
  }
  // 2^-15 is 2^9 of the high units; 2^-38 is 2^-14 of them and 2^22 of the low ones.
  sums.high += totals[0] * (1 << 9) + (totals[1] >> 14);
  sums.low += (totals[1] & ((1 << 14) - 1)) * (1 << 22) + totals[2];
}

COVRL_INLINE void store_extremes(const QuickColumn& column, ColumnSums& sums) {
  float smallest[kLanes], largest[kLanes];
  store(smallest, column.smallest);
  store(largest, column.largest);
  store_extremes(smallest, largest, kLanes, sums);
}

COVRL_INLINE bool is_quick(const ColumnSums& sums) {
  return sums.smallest > -static_cast<double>(kQuickMomentSize) &&
         sums.largest < static_cast<double>(kQuickMomentSize);
}

static bool quick_moment_sums(const CovarianceRange<float>& range, MomentSums& sums) {
  QuickColumn logprob, advantage;
  int64_t count = 0, num_groups = 0;
  uint32_t nan = 0;
  sums.logprob.high = sums.logprob.low = sums.advantage.high = sums.advantage.low = 0;
  const auto drain_both = [&] {
    drain(logprob, num_groups, sums.logprob);
    drain(advantage, num_groups, sums.advantage);
    num_groups = 0;
  };
  for_groups(range, [&](int64_t, const CovarianceRange<float>& group) {
    const uint64_t inside = mask_bits(group.mask);
    if (inside == 0) return;
    count += __builtin_popcountll(inside);
    for (int64_t i = 0; i < kMaskGroup; i += kLanes) {
      const uint32_t lanes = static_cast<uint32_t>(inside >> i) & 0xffffu;
      const Vec x = load_lanes(group.logprob + i, lanes),
                a = load_lanes(group.advantage + i, lanes);
      add_values(logprob, x, lanes);
      add_values(advantage, a, lanes);
      nan |= either_is_nan(x, a);
    }
    if (++num_groups == kQuickGroups) drain_both();
  });
  drain_both();
  sums.count = count;
  sums.num_nan = nan != 0 ? 1 : 0;
  store_extremes(logprob, sums.logprob);
  store_extremes(advantage, sums.advantage);
  return is_quick(sums.logprob) && is_quick(sums.advantage);
}
static bool quick_moment_sums(const CovarianceRange<double>&, MomentSums&) { return false; }

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

constexpr int kDrawParts = 4;  // drawn side by side: each waits for its own rounds
static_assert(kDrawParts * kDoubles == kDrawSlack);

// Numbers of 32 bits in the low halves; what the high halves hold has no effect.
struct PhiloxCounters {
  Integers c0, c1, c2, c3;
};
COVRL_INLINE void philox_round(PhiloxCounters& c, Integers key0, Integers key1) {
  const Integers product0 = multiply_low_halves(c.c0, integers(0xD2511F53)),
                 product1 = multiply_low_halves(c.c2, integers(0xCD9E8D57));
  c.c0 = exclusive_or(high_half(product1), c.c1, key0);
  c.c1 = product1;
  c.c2 = exclusive_or(high_half(product0), c.c3, key1);
  c.c3 = product0;
}

COVRL_INLINE void philox(const Integers* ids, const DrawKey& key, Integers* bits) {
  PhiloxCounters parts[kDrawParts];
#pragma GCC unroll 4
  for (int part = 0; part < kDrawParts; ++part)
    parts[part] = {integers(key.step), high_half(ids[part]), ids[part], integers(0)};
  uint32_t keys[2];
  std::memcpy(keys, &key.key, sizeof keys);
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
#pragma GCC unroll 4
    for (int part = 0; part < kDrawParts; ++part)
      philox_round(parts[part], integers(keys[0]), integers(keys[1]));
    keys[0] += 0x9E3779B9u;
    keys[1] += 0xBB67AE85u;
  }
#pragma GCC unroll 4
  for (int part = 0; part < kDrawParts; ++part)
    bits[part] = join_low_halves(parts[part].c0, parts[part].c1);
}

// Ids of the tokens first + places[0 .. kDoubles-1]. `run` moves on to the one of the last.
COVRL_INLINE Integers next_ids(int64_t first, const int32_t* places, const TokenRun*& run) {
  while (first + places[0] >= run[1].begin) ++run;
  if (first + places[kDoubles - 1] < run[1].begin)
    return add(integers(run->first_id + (first - run->begin)), load_integers(places));
  int64_t ids[kDoubles];
  for (int lane = 0; lane < kDoubles; ++lane) {
    while (first + places[lane] >= run[1].begin) ++run;
    ids[lane] = run->first_id + (first + places[lane] - run->begin);
  }
  return load_integers(ids);
}

static int64_t small_draws(const DrawingTokens& tokens, const DrawKey& key, uint64_t limit,
                           uint64_t* bits, int32_t* indices) {
  const Integers largest = integers(static_cast<int64_t>(limit));
  const TokenRun* run = tokens.run;
  int64_t number = 0;
  for (int64_t first = 0; first < tokens.count; first += kDrawSlack) {
    Integers ids[kDrawParts], draws[kDrawParts];
    for (int part = 0; part < kDrawParts; ++part)
      ids[part] = next_ids(tokens.first, tokens.places + first + part * kDoubles, run);
    philox(ids, key, draws);
    uint32_t small = 0;
#pragma GCC unroll 4
    for (int part = 0; part < kDrawParts; ++part)
      small |= is_at_most(draws[part], largest) << part * kDoubles;
    if (small == 0) continue;
    int64_t lanes[kDrawSlack];
    for (int part = 0; part < kDrawParts; ++part)
      store_integers(lanes + part * kDoubles, draws[part]);
    for (; small != 0; small &= small - 1) {
      const int lane = __builtin_ctz(small);
      if (first + lane >= tokens.count) break;
      bits[number] = static_cast<uint64_t>(lanes[lane]);
      indices[number++] = static_cast<int32_t>(first + lane);
    }
  }
  return number;
}

}  // namespace
}  // namespace covrl::kernels
