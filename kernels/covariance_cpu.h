// The inner loops of covariance.h on the CPU, vectorised for the processor at run time.
#pragma once

#include <array>
#include <cstdint>

namespace covrl::kernels {

// Tokens that a sum takes before it is added to the total: the order of additions does not depend
// on threads.
inline constexpr int64_t kMomentBlock = 4096;
// Tokens whose covariances are computed together, and those among them that one comparison decides
// about.
inline constexpr int64_t kScanBlock = 1024, kScanGroup = 64;

struct CovarianceRange {
  const float* logprob = nullptr;
  const float* advantage = nullptr;
  const bool* mask = nullptr;
  int64_t count = 0;
};

struct MomentSums {
  double logprob = 0, advantage = 0;
  int64_t count = 0;
};
// Sums of at most kMomentBlock tokens.
MomentSums moment_sums(const CovarianceRange& range);

// The covariance of every token of the range, -inf outside the mask; and, unless null, the largest
// of each kScanGroup of them.
void covariance_range(const CovarianceRange& range, double mean_logprob, double mean_advantage,
                      double* covariance, double* largest);

// The first 64 bits of Philox4x32-10 (core/rng.h) for the counters {step, id >> 32, 0, id &
// 0xffffffff}.
void draw_bits(const int64_t* ids, int64_t count, uint32_t step, std::array<uint32_t, 2> key,
               uint64_t* bits);

}  // namespace covrl::kernels
