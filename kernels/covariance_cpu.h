// The inner loops of covariance.h on the CPU. Those over all tokens are compiled for each
// instruction set (cpu_kernels.h).
#pragma once

#include <array>
#include <cstdint>

#include "kernels/covariance_moments.h"

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

// The loops over all tokens, for values of type T.
template <class T>
struct CovarianceLoops {
  // Overwrites the sums. Infinite and NaN values leave the integers undefined.
  void (*moment_sums)(const CovarianceRange<T>& range, SplitConstants logprob,
                      SplitConstants advantage, MomentSums& sums);
  // Bit t % 64 of inside[t / 64]: token t is in the mask and lower < covariance < upper.
  void (*band)(const CovarianceRange<T>& range, double mean_logprob, double mean_advantage,
               double lower, double upper, uint64_t* inside);
};

// The first 64 bits of Philox4x32-10 (core/rng.h) for the counters {step, id >> 32, id &
// 0xffffffff, 0}.
void draw_bits(const int64_t* ids, int64_t count, uint32_t step, std::array<uint32_t, 2> key,
               uint64_t* bits);

}  // namespace covrl::kernels
