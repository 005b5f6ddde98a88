// Covariance of log-probability and advantage, token by token, and the tokens that it selects
// (arXiv 2505.22617, Eq. 10):
//
//   cov_t = (logprob_t - mean logprob) (advantage_t - mean advantage)
//
// over the tokens of a whole optimizer mini-batch. Means are one rounding of exact sums
// (covariance_moments.h), products and comparisons are in double, every operation rounded by
// itself: the same tokens whatever their order, the thread count, the ranks or the device.
//
// Letters: T tokens. All tensors are contiguous and on the CPU; what lies outside the mask has no
// effect.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "kernels/covariance_moments.h"
#include "kernels/token_ids.h"

namespace covrl::kernels {

// What covariance is of. ids order tokens whose values are equal (the smaller first) and name their
// random draws.
struct CovarianceInput {
  at::Tensor logprob_T;    // float32 or float64
  at::Tensor advantage_T;  // as logprob_T
  at::Tensor mask_T;       // bool
  TokenIds ids;            // for the selections
};

CovarianceMoments covariance_moments(const CovarianceInput& input);

// float64 [T], 0 outside the mask.
at::Tensor covariance(const CovarianceInput& input, const CovarianceMoments& moments);

// Whether a token's covariance is not 0.
bool any_covariance(const CovarianceInput& input, const CovarianceMoments& moments);

// The min(count, number) tokens of largest covariance, as places in the [T] tensors, the largest
// first, equal ones by id. NaN counts as equal.
std::vector<int64_t> largest_covariance(const CovarianceInput& input,
                                        const CovarianceMoments& moments, int64_t number);

// Tokens with lower < covariance < upper that are not excluded.
struct CovarianceBand {
  double lower = 0, upper = 0;
  at::Tensor excluded_T;  // bool; undefined: none
};
struct BandChoice {
  std::vector<int64_t> places;  // in the [T] tensors, in the order of the draws
  int64_t num_candidates = 0;   // tokens in the band
};
// A uniform choice of min(candidates, number) of them: those of the smallest draws, where the draw
// of a token is random_bits(seed, Stream::kClipCov, {step, prompt: id >> 32, sample: id &
// 0xffffffff, position: 0}), equal ones by id.
BandChoice choose_in_covariance_band(const CovarianceInput& input, const CovarianceMoments& moments,
                                     const CovarianceBand& band, int64_t number, uint64_t seed,
                                     uint64_t step);

}  // namespace covrl::kernels
