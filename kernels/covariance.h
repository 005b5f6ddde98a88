// Covariance of log-probability and advantage, token by token, and the tokens that it selects
// (arXiv 2505.22617, Eq. 10):
//
//   cov_t = (logprob_t - mean logprob) (advantage_t - mean advantage)
//
// over the tokens of a whole optimizer mini-batch. Means, products and comparisons are in double,
// every operation rounded by itself, sums in a fixed order: the same tokens whatever the thread
// count or the processor.
//
// Letters: T tokens. All tensors are contiguous and on the CPU; what lies outside the mask is never
// read.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace covrl::kernels {

// What covariance is of. ids order tokens whose values are equal (the smaller first) and name their
// random draws.
struct CovarianceInput {
  at::Tensor logprob_T;    // float32
  at::Tensor advantage_T;  // float32
  at::Tensor mask_T;       // bool
  at::Tensor id_T;         // int64, unique
};

struct CovarianceMoments {
  int64_t count = 0;  // tokens in the mask
  double mean_logprob = 0, mean_advantage = 0;
};
CovarianceMoments covariance_moments(const CovarianceInput& input);

// float64 [T], 0 outside the mask.
at::Tensor covariance(const CovarianceInput& input, const CovarianceMoments& moments);

// bool [T]: the min(count, number) tokens of largest covariance, equal ones by id.
at::Tensor select_largest_covariance(const CovarianceInput& input, const CovarianceMoments& moments,
                                     int64_t number);

// Tokens with lower < covariance < upper that are not excluded.
struct CovarianceBand {
  double lower = 0, upper = 0;
  at::Tensor excluded_T;  // bool; undefined: none
};
struct BandSelection {
  at::Tensor selected_T;       // bool [T]
  int64_t num_candidates = 0;  // tokens in the band
};
// A uniform choice of min(candidates, number) of them: those of the smallest draws, where the draw
// of a token is random_bits(seed, Stream::kClipCov, {step, id >> 32, 0, id & 0xffffffff}), equal
// ones by id.
BandSelection select_in_covariance_band(const CovarianceInput& input,
                                        const CovarianceMoments& moments,
                                        const CovarianceBand& band, int64_t number, uint64_t seed,
                                        uint64_t step);

}  // namespace covrl::kernels
