// The inner loops of covariance.h on the CPU, compiled for each instruction set (cpu_kernels.h).
#pragma once

#include <array>
#include <cstdint>

#include "kernels/covariance_moments.h"
#include "kernels/token_ids.h"

namespace covrl::kernels {

// T: float or double.
template <class T>
struct CovarianceRange {
  const T* logprob = nullptr;
  const T* advantage = nullptr;
  const bool* mask = nullptr;
  int64_t count = 0;

  // The same whichever way it is compiled: nothing here can be fused.
  double covariance(int64_t t, double mean_logprob, double mean_advantage) const {
    return (static_cast<double>(logprob[t]) - mean_logprob) *
           (static_cast<double>(advantage[t]) - mean_advantage);
  }
};

// lower < covariance < upper.
struct CovarianceLimits {
  double mean_logprob = 0, mean_advantage = 0;
  double lower = 0, upper = 0;
  const bool* excluded = nullptr;  // of the range; null: none
};

// Beyond the last place, so much of their array may be overwritten.
inline constexpr int64_t kPlaceSlack = 64;

// Values below it in size have a quick way to their sums.
inline constexpr float kQuickMomentSize = 128;

// The loops over tokens, for values of type T.
template <class T>
struct CovarianceLoops {
  // Overwrites the sums. Infinite and NaN values leave the integers undefined.
  void (*moment_sums)(const CovarianceRange<T>& range, SplitConstants logprob,
                      SplitConstants advantage, MomentSums& sums);
  // The same at scale 0; false, with the sums undefined, unless all values are floats below
  // kQuickMomentSize in size.
  bool (*quick_moment_sums)(const CovarianceRange<T>& range, MomentSums& sums);
  // Places in the range of the tokens in the mask that are within the limits and not excluded,
  // ascending; returns how many.
  int64_t (*band)(const CovarianceRange<T>& range, const CovarianceLimits& limits, int32_t* places);
};

// Tokens first + places[0 .. count-1], ascending, the last place repeated kDrawSlack times.
inline constexpr int64_t kDrawSlack = 32;
struct DrawingTokens {
  int64_t first = 0;
  const int32_t* places = nullptr;
  int64_t count = 0;
  const TokenRun* run = nullptr;  // of `first` or before
};
struct DrawKey {
  std::array<uint32_t, 2> key;
  uint32_t step = 0;
};
// The first 64 bits of Philox4x32-10 (core/rng.h) for the counters {step, id >> 32, id &
// 0xffffffff, 0}: of those that are at most `limit`, the bits and the index of the token, in order;
// returns how many.
using SmallDraws = int64_t (*)(const DrawingTokens& tokens, const DrawKey& key, uint64_t limit,
                               uint64_t* bits, int32_t* indices);

}  // namespace covrl::kernels
