#include "entropy/statistics.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace covrl {
namespace {

CovarianceStatistics statistics(const std::vector<double>& logprob,
                                const std::vector<double>& advantage,
                                const std::vector<int64_t>& mask) {
  return covariance_statistics(at::tensor(logprob, at::kDouble), at::tensor(advantage, at::kDouble),
                               at::tensor(mask, at::kLong).to(at::kBool));
}

TEST(CovarianceStatisticsTest, EqualsTheDefinition) {
  const double nan = std::nan("");
  const CovarianceStatistics seen =
      statistics({-2, nan, -1, 0, 1, 2}, {2, nan, -1, 0, -3, 2}, {1, 0, 1, 1, 1, 1});
  // Both means are 0: the products are -4, 1, 0, -3, 4.
  EXPECT_DOUBLE_EQ(seen.mean, -0.4);
  EXPECT_DOUBLE_EQ(seen.std, std::sqrt((16 + 1 + 0 + 9 + 16) / 5.0 - 0.16));
  EXPECT_DOUBLE_EQ(seen.p50, 0);
  EXPECT_DOUBLE_EQ(seen.p90, 4 - 0.4 * 3);
  EXPECT_DOUBLE_EQ(seen.max, 4);
  EXPECT_DOUBLE_EQ(seen.top_means[0], 4);
  EXPECT_DOUBLE_EQ(seen.top_means[3], 4);    // floor(0.2 * 5) = 1
  EXPECT_DOUBLE_EQ(seen.top_means[4], 2.5);  // floor(0.5 * 5) = 2
}

TEST(CovarianceStatisticsTest, MeanIsTheCovariance) {
  std::vector<double> x, a;
  for (int i = 0; i < 1000; ++i) {
    x.push_back(-std::abs(std::sin(i * 1.7)) * 5);
    a.push_back(std::cos(i * 0.3));
  }
  const CovarianceStatistics seen = statistics(x, a, std::vector<int64_t>(1000, 1));
  double mean_x = 0, mean_a = 0, mean_product = 0;
  for (size_t i = 0; i < 1000; ++i) {
    mean_x += x[i] / 1000;
    mean_a += a[i] / 1000;
    mean_product += x[i] * a[i] / 1000;
  }
  EXPECT_NEAR(seen.mean, mean_product - mean_x * mean_a, 1e-12);
  for (size_t i = 1; i < kTopShares.size(); ++i)
    EXPECT_LE(seen.top_means[i], seen.top_means[i - 1]);
}

TEST(CovarianceStatisticsTest, NoTokenAndBadTokens) {
  EXPECT_EQ(statistics({1, 2}, {1, 2}, {0, 0}).max, 0);
  EXPECT_TRUE(std::isnan(statistics({1, std::nan("")}, {1, 2}, {1, 1}).p99));
  Metrics metrics;
  statistics({1, 2}, {1, 2}, {1, 1}).report(metrics);
  EXPECT_EQ(metrics.entries().size(), 12);
}

}  // namespace
}  // namespace covrl
