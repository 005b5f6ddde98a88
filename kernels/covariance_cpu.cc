#include "kernels/covariance_cpu.h"

#include <limits>

#include "kernels/vector_clones.h"

namespace covrl::kernels {
namespace {

// Sums are kept in as many parts as the widest vectors hold, so that all processors add alike.
constexpr int64_t kLanes = 16;

COVRL_INLINE void sum_body(const CovarianceRange range, MomentSums& sums) {
  double logprob[kLanes] = {}, advantage[kLanes] = {};
  int64_t count[kLanes] = {};
  int64_t first = 0;
  for (; first + kLanes <= range.count; first += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const int64_t t = first + lane;
      const int64_t inside = range.mask[t] ? 1 : 0;
      logprob[lane] += inside ? static_cast<double>(range.logprob[t]) : 0.0;
      advantage[lane] += inside ? static_cast<double>(range.advantage[t]) : 0.0;
      count[lane] += inside;
    }
  for (int64_t lane = 0; first + lane < range.count; ++lane) {
    const int64_t t = first + lane;
    if (!range.mask[t]) continue;
    logprob[lane] += static_cast<double>(range.logprob[t]);
    advantage[lane] += static_cast<double>(range.advantage[t]);
    count[lane] += 1;
  }
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    sums.logprob += logprob[lane];
    sums.advantage += advantage[lane];
    sums.count += count[lane];
  }
}

constexpr double kNone = -std::numeric_limits<double>::infinity();

COVRL_INLINE double covariance_of(const CovarianceRange& range, int64_t t, double mean_logprob,
                                  double mean_advantage) {
  const double product = (static_cast<double>(range.logprob[t]) - mean_logprob) *
                         (static_cast<double>(range.advantage[t]) - mean_advantage);
  return range.mask[t] ? product : kNone;
}

COVRL_INLINE void covariance_body(const CovarianceRange range, double mean_logprob,
                                  double mean_advantage, double* __restrict covariance,
                                  double* __restrict largest) {
  for (int64_t first = 0; first < range.count; first += kScanGroup) {
    double lanes[kLanes];
    for (double& lane : lanes) lane = kNone;
    const int64_t end = first + kScanGroup < range.count ? first + kScanGroup : range.count;
    int64_t t = first;
    for (; t + kLanes <= end; t += kLanes)
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        const double value = covariance_of(range, t + lane, mean_logprob, mean_advantage);
        covariance[t + lane] = value;
        lanes[lane] = value > lanes[lane] ? value : lanes[lane];
      }
    for (; t < end; ++t) {
      covariance[t] = covariance_of(range, t, mean_logprob, mean_advantage);
      lanes[0] = covariance[t] > lanes[0] ? covariance[t] : lanes[0];
    }
    if (largest == nullptr) continue;
    double most = kNone;
    for (const double lane : lanes) most = lane > most ? lane : most;
    largest[first / kScanGroup] = most;
  }
}

COVRL_INLINE void draw_body(const int64_t* __restrict ids, int64_t count, uint32_t step,
                            uint32_t key0, uint32_t key1, uint64_t* __restrict bits) {
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t id = static_cast<uint64_t>(ids[i]);
    uint64_t c0 = step, c1 = id >> 32, c2 = 0, c3 = id & 0xffffffffu;  // 32 bits each
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

MomentSums moment_sums(const CovarianceRange& range) {
  MomentSums sums;
  run_vectorised([&]() COVRL_INLINE_BODY { sum_body(range, sums); });
  return sums;
}

void covariance_range(const CovarianceRange& range, double mean_logprob, double mean_advantage,
                      double* covariance, double* largest) {
  run_vectorised([&]() COVRL_INLINE_BODY {
    covariance_body(range, mean_logprob, mean_advantage, covariance, largest);
  });
}

void draw_bits(const int64_t* ids, int64_t count, uint32_t step, std::array<uint32_t, 2> key,
               uint64_t* bits) {
  run_vectorised([&]() COVRL_INLINE_BODY { draw_body(ids, count, step, key[0], key[1], bits); });
}

}  // namespace covrl::kernels
