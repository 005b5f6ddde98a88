#include "rl/eval_statistics.h"

#include <gtest/gtest.h>

#include <bit>

namespace covrl {
namespace {

// Brute force: the share of k-subsets of n samples (the first c are right) that hold a right one.
double pass_by_enumeration(int n, int c, int k) {
  int64_t subsets = 0, hits = 0;
  for (uint32_t set = 0; set < (1u << n); ++set) {
    if (std::popcount(set) != k) continue;
    ++subsets;
    hits += (set & ((1u << c) - 1)) != 0;
  }
  return static_cast<double>(hits) / static_cast<double>(subsets);
}

TEST(EvalStatistics, PassAtKEqualsEnumeration) {
  for (int n = 1; n <= 9; ++n)
    for (int c = 0; c <= n; ++c)
      for (int k = 1; k <= n; ++k)
        EXPECT_NEAR(pass_at_k(n, c, k), pass_by_enumeration(n, c, k), 1e-12);
}

TEST(EvalStatistics, MajorityIgnoresMissingAnswersAndBreaksTiesByOrder) {
  EXPECT_TRUE(majority_is_correct({{"3", false}, {"4", true}, {"4", true}}));
  EXPECT_FALSE(majority_is_correct({{"3", false}, {"4", true}}));
  EXPECT_TRUE(majority_is_correct({{"", false}, {"", false}, {"4", true}}));
  EXPECT_FALSE(majority_is_correct({{"", false}}));
  EXPECT_FALSE(majority_is_correct({}));
}

TEST(EvalStatistics, BootstrapIntervalHoldsTheMeanAndNarrowsWithTheSet) {
  const auto [low, high] = bootstrap_interval(std::vector<ProblemScore>(10, {4, 1}));
  EXPECT_EQ(low, 0.25);  // no spread, no width
  EXPECT_EQ(high, 0.25);
  const auto mixed = [](size_t n) {
    std::vector<ProblemScore> scores;
    for (size_t i = 0; i < n; ++i) scores.push_back({1, static_cast<int64_t>(i % 2)});
    return bootstrap_interval(scores);
  };
  const auto small = mixed(20), large = mixed(500);
  EXPECT_LT(small.first, 0.5);
  EXPECT_GT(small.second, 0.5);
  EXPECT_LT(large.second - large.first, small.second - small.first);
}

}  // namespace
}  // namespace covrl
