// covariance.h on a CUDA device: the same moments, covariances and selections, to the bit.
//
// Nothing returns to the host between the passes: sums, means, the search and its histograms stay
// in a CovarianceState in device memory. Order of calls: covariance_moments_cuda fills the state,
// the others read its means.
#pragma once

#include <cstdint>
#include <functional>

#include "kernels/covariance_moments.h"
#include "kernels/cuda_type.h"
#include "kernels/radix_search.h"

namespace covrl::kernels {

// Device memory, [num_tokens] each. What lies outside the mask has no effect.
struct CovarianceTokens {
  const float* logprob_T = nullptr;
  const float* advantage_T = nullptr;
  const bool* mask_T = nullptr;
  const int64_t* id_T = nullptr;  // unique, not negative; for the selections
  int64_t num_tokens = 0;
};

// A column's sums, and its extremes as integers in the order of the floats: ~order of the smallest,
// so that each is a maximum.
struct ColumnTotals {
  unsigned long long high, low;
};
struct ColumnExtremes {
  int32_t largest, flipped_smallest;
};
struct MomentTotals {
  unsigned long long count, num_nan;
  ColumnTotals logprob, advantage;
  ColumnExtremes logprob_extremes, advantage_extremes;
};

// In device memory; a selection at a time uses it.
struct CovarianceState {
  MomentTotals totals;
  int32_t logprob_scale, advantage_scale;  // covariance_moments.h
  int32_t num_passes;                      // over the moments that are still to be made
  CovarianceMoments moments;

  RadixSearch search;
  unsigned long long histogram[kRadixBins];
  unsigned long long num_other_than_zero;  // of a pass over the first digit
  int64_t num_candidates;                  // of the last selection
};

// Where a pass has filled numbers in device memory, these enqueue their sum or maximum over the
// ranks on the stream. Empty: one rank.
struct DeviceReduce {
  std::function<cudaError_t(unsigned long long* counts, int64_t number, cudaStream_t stream)> sum;
  std::function<cudaError_t(int32_t* values, int64_t number, cudaStream_t stream)> max;
};

// state->moments.
cudaError_t covariance_moments_cuda(const CovarianceTokens& tokens, CovarianceState* state,
                                    cudaStream_t stream, const DeviceReduce& reduce = {});

// covariance_T: float64, 0 outside the mask.
cudaError_t covariance_cuda(const CovarianceTokens& tokens, const CovarianceState* state,
                            double* covariance_T, cudaStream_t stream);

// selected_T: the `number` tokens of largest covariance over all ranks, equal ones by id. NaN
// counts as equal.
struct LargestCovariance {
  int64_t number = 0;
  bool none_if_all_zero = false;  // no token is a candidate where every covariance is 0
};
cudaError_t select_largest_covariance_cuda(const CovarianceTokens& tokens,
                                           const LargestCovariance& wanted, CovarianceState* state,
                                           bool* selected_T, cudaStream_t stream,
                                           const DeviceReduce& reduce = {});

// selected_T: a uniform choice of `number` of the tokens with lower < covariance < upper that are
// not excluded, by the draws of select_in_covariance_band.
struct CovarianceBandChoice {
  double lower = 0, upper = 0;
  const bool* excluded_T = nullptr;  // null: none
  int64_t number = 0;
  uint32_t key[2] = {0, 0};  // philox_key(seed, Stream::kClipCov)
  uint32_t step = 0;
};
cudaError_t select_in_covariance_band_cuda(const CovarianceTokens& tokens,
                                           const CovarianceBandChoice& wanted,
                                           CovarianceState* state, bool* selected_T,
                                           cudaStream_t stream, const DeviceReduce& reduce = {});

// *value: the covariance that `above` others precede in falling order over all ranks, 0 the
// largest; NaN, which comes after every number, where there are no more tokens.
cudaError_t covariance_order_statistic_cuda(const CovarianceTokens& tokens, int64_t above,
                                            CovarianceState* state, double* value,
                                            cudaStream_t stream, const DeviceReduce& reduce = {});

}  // namespace covrl::kernels
