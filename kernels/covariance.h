// Covariance of log-probability and advantage, token by token, and the tokens that it selects
// (arXiv 2505.22617, Eq. 10):
//
//   cov_t = (logprob_t - mean logprob) (advantage_t - mean advantage)
//
// over the tokens of a whole optimizer mini-batch. Means are one rounding of exact sums
// (covariance_moments.h), products and comparisons are in double, every operation rounded by
// itself: the same tokens whatever their order, the thread count, the ranks or the device.
//
// Letters: T tokens. What lies outside the mask has no effect. On a GPU a selection leaves moments,
// search and choice in device memory, where the loss reads them: the host waits where it says so,
// and nowhere else. float32 and float64 on the CPU, float32 on CUDA; the oracle for other types and
// devices, and in reference mode.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "kernels/covariance_moments.h"
#include "kernels/token_ids.h"

namespace covrl::kernels {

// What covariance is of: contiguous tensors on one device. Ids, for the selections, order tokens
// whose values are equal (the smaller first) and name their random draws.
struct CovarianceInput {
  at::Tensor logprob_T;    // float32 or float64
  at::Tensor advantage_T;  // as logprob_T
  at::Tensor mask_T;       // bool
  TokenIds ids;            // of tokens on the CPU
  at::Tensor id_T = {};    // int64, of tokens on a device
};

// Waits for the device.
CovarianceMoments covariance_moments(const CovarianceInput& input);

// float64 [T] where the input is, 0 outside the mask.
at::Tensor covariance(const CovarianceInput& input);

struct SelectedPlaces {
  std::vector<int64_t> places;  // in the [T] tensors
  int64_t num_candidates = 0;   // tokens that could be selected
};

// Selected tokens: their places on the CPU, a mask on a device.
class CovarianceSelection {
 public:
  CovarianceSelection(SelectedPlaces selected, int64_t num_tokens)
      : places_(std::move(selected)), num_tokens_(num_tokens) {}
  CovarianceSelection(at::Tensor selected_T, at::Tensor num_candidates)  // the latter int64 [1]
      : selected_T_(std::move(selected_T)), num_candidates_(std::move(num_candidates)) {}

  // bool [T] where the input is.
  at::Tensor mask_T() const;
  // In the order of the selection on the CPU, ascending from a device, which is waited for.
  SelectedPlaces on_host() const;

 private:
  SelectedPlaces places_;
  int64_t num_tokens_ = 0;
  at::Tensor selected_T_, num_candidates_;  // on a device
};

// The min(count, number) tokens of largest covariance, the largest first, equal ones by id; none,
// and no candidates, where every covariance is 0. NaN counts as equal.
CovarianceSelection select_largest_covariance(const CovarianceInput& input, int64_t number);

// Tokens with lower < covariance < upper that are not excluded.
struct CovarianceBand {
  double lower = 0, upper = 0;
  at::Tensor excluded_T;  // bool, where the input is; undefined: none
};
// A uniform choice of min(candidates, number) of them: those of the smallest draws, in their order,
// where the draw of a token is random_bits(seed, Stream::kClipCov, {step, prompt: id >> 32, sample:
// id & 0xffffffff, position: 0}), equal ones by id.
CovarianceSelection select_in_covariance_band(const CovarianceInput& input,
                                              const CovarianceBand& band, int64_t number,
                                              uint64_t seed, uint64_t step);

}  // namespace covrl::kernels
