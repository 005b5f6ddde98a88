// The covariance of a rollout batch in numbers, logged every step whatever the control: it says how
// fast the entropy is about to fall (arXiv 2505.22617, sections 2.3 and 2.4), and where clip_cov_lb
// and clip_cov_ub would cut.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <vector>

#include "core/metrics.h"

namespace covrl {

// Shares of the paper's table of token-wise covariance.
constexpr std::array<double, 5> kTopShares = {0.0002, 0.002, 0.02, 0.2, 0.5};

struct CovarianceStatistics {
  double mean = 0, std = 0;  // std of the population
  double p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0;
  // Mean over the max(1, floor(share * tokens)) largest, of each of kTopShares.
  std::array<double, kTopShares.size()> top_means{};

  // entropy_ctrl/{cov_mean, cov_std, cov_p50, cov_p90, cov_p99, cov_p999, cov_max, cov_top_0.02pct,
  // cov_top_0.2pct, cov_top_2pct, cov_top_20pct, cov_top_50pct}.
  void report(Metrics& metrics) const;
};

// Over the tokens inside the mask, means over all of them. Exact; quantiles interpolate linearly
// between the sorted values. All 0 without a token; all NaN where a value inside is not finite.
CovarianceStatistics covariance_statistics(const at::Tensor& logprob_T,
                                           const at::Tensor& advantage_T, const at::Tensor& mask_T);

}  // namespace covrl
