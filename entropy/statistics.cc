#include "entropy/statistics.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "entropy/covariance.h"

namespace covrl {
namespace {

// Of the tokens in the mask.
std::vector<double> covariances(const at::Tensor& logprob_T, const at::Tensor& advantage_T,
                                const at::Tensor& mask_T) {
  const kernels::CovarianceInput tokens = covariance_input(logprob_T, advantage_T, mask_T, {});
  const at::Tensor values = kernels::covariance(tokens).masked_select(tokens.mask_T);
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

double mean_of_first(const std::vector<double>& values, int64_t count) {
  return std::accumulate(values.begin(), values.begin() + count, 0.0) / static_cast<double>(count);
}

// Of values sorted from the largest down.
double quantile(const std::vector<double>& sorted, double q) {
  const double place = (1 - q) * static_cast<double>(sorted.size() - 1);
  const size_t above = static_cast<size_t>(place), below = std::min(above + 1, sorted.size() - 1);
  const double share = place - static_cast<double>(above);
  return sorted[above] + share * (sorted[below] - sorted[above]);
}

CovarianceStatistics not_a_number() {
  CovarianceStatistics result;
  result.mean = result.std = result.p50 = result.p90 = result.p99 = result.p999 = result.max =
      std::numeric_limits<double>::quiet_NaN();
  result.top_means.fill(result.mean);
  return result;
}

}  // namespace

CovarianceStatistics covariance_statistics(const at::Tensor& logprob_T,
                                           const at::Tensor& advantage_T,
                                           const at::Tensor& mask_T) {
  std::vector<double> values = covariances(logprob_T, advantage_T, mask_T);
  CovarianceStatistics result;
  if (values.empty()) return result;
  if (!std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); }))
    return not_a_number();
  std::sort(values.begin(), values.end(), std::greater<>());
  result.mean = mean_of_first(values, static_cast<int64_t>(values.size()));
  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.std = std::sqrt(squares / static_cast<double>(values.size()));
  result.p50 = quantile(values, 0.5);
  result.p90 = quantile(values, 0.9);
  result.p99 = quantile(values, 0.99);
  result.p999 = quantile(values, 0.999);
  result.max = values.front();
  for (size_t i = 0; i < kTopShares.size(); ++i)
    result.top_means[i] =
        mean_of_first(values, quota_of(kTopShares[i], static_cast<int64_t>(values.size())));
  return result;
}

void CovarianceStatistics::report(Metrics& metrics) const {
  metrics.set("entropy_ctrl/cov_mean", mean);
  metrics.set("entropy_ctrl/cov_std", std);
  metrics.set("entropy_ctrl/cov_p50", p50);
  metrics.set("entropy_ctrl/cov_p90", p90);
  metrics.set("entropy_ctrl/cov_p99", p99);
  metrics.set("entropy_ctrl/cov_p999", p999);
  metrics.set("entropy_ctrl/cov_max", max);
  constexpr std::array<const char*, kTopShares.size()> kNames = {
      "entropy_ctrl/cov_top_0.02pct", "entropy_ctrl/cov_top_0.2pct", "entropy_ctrl/cov_top_2pct",
      "entropy_ctrl/cov_top_20pct", "entropy_ctrl/cov_top_50pct"};
  for (size_t i = 0; i < kNames.size(); ++i) metrics.set(kNames[i], top_means[i]);
}

}  // namespace covrl
