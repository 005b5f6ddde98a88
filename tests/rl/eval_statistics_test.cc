#include "rl/evaluation/eval_statistics.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "core/rng.h"

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

TEST(EvalStatistics, PassIsToldForPowersOfTwoAndForAll) {
  EXPECT_EQ(pass_sizes(1), (std::vector<int64_t>{1}));
  EXPECT_EQ(pass_sizes(2), (std::vector<int64_t>{2}));
  EXPECT_EQ(pass_sizes(8), (std::vector<int64_t>{2, 4, 8}));
  EXPECT_EQ(pass_sizes(10), (std::vector<int64_t>{2, 4, 8, 10}));
}

TEST(EvalStatistics, MajorityIgnoresMissingAnswersAndBreaksTiesByOrder) {
  EXPECT_TRUE(majority_is_correct({{"3", false}, {"4", true}, {"4", true}}));
  EXPECT_FALSE(majority_is_correct({{"3", false}, {"4", true}}));
  EXPECT_TRUE(majority_is_correct({{"", false}, {"", false}, {"4", true}}));
  EXPECT_FALSE(majority_is_correct({{"", false}}));
  EXPECT_FALSE(majority_is_correct({}));
}

// Brute force: counts every answer against every other.
TEST(EvalStatistics, MajorityEqualsCountingOnRandomAnswers) {
  Sequence random(1, Stream::kTest);
  for (int round = 0; round < 500; ++round) {
    std::vector<Answer> answers(1 + random.below(9));
    for (Answer& answer : answers) {
      const uint64_t value = random.below(4);  // 0: no answer; 1 is right
      answer = {value == 0 ? "" : std::to_string(value), value == 1};
    }
    size_t best = answers.size(), most = 0;
    for (size_t i = 0; i < answers.size(); ++i) {
      size_t votes = 0;
      for (const Answer& other : answers) votes += other.text == answers[i].text;
      if (!answers[i].text.empty() && votes > most) best = i, most = votes;
    }
    EXPECT_EQ(majority_is_correct(answers), best < answers.size() && answers[best].correct);
  }
}

TEST(EvalStatistics, BootstrapIntervalHoldsTheMeanAndNarrowsWithTheSet) {
  const auto [low, high] = bootstrap_interval(std::vector<double>(10, 0.25));
  EXPECT_EQ(low, 0.25);  // no spread, no width
  EXPECT_EQ(high, 0.25);
  const auto mixed = [](size_t n) {
    std::vector<double> values;
    for (size_t i = 0; i < n; ++i) values.push_back(static_cast<double>(i % 2));
    return bootstrap_interval(values);
  };
  const auto small = mixed(20), large = mixed(500);
  EXPECT_LT(small.first, 0.5);
  EXPECT_GT(small.second, 0.5);
  EXPECT_LT(large.second - large.first, small.second - small.first);
}

// Brute force: every one of the n^n resamples of a small set, its quantiles exact. The interval of
// 2,000 draws lies between the exact quantiles of 1.5 to 3.5 and 96.5 to 98.5 %: of 2,000, 50 draws
// lie below the bound with a deviation of 7, so these are three deviations away.
TEST(EvalStatistics, BootstrapIntervalAgreesWithEveryResample) {
  Sequence random(2, Stream::kTest);
  for (int round = 0; round < 5; ++round) {
    std::vector<double> values(6), means;
    for (double& value : values) value = random.uniform();
    for (int code = 0; code < 46656; ++code) {
      double sum = 0;
      for (int i = 0, rest = code; i < 6; ++i, rest /= 6)
        sum += values[static_cast<size_t>(rest % 6)];
      means.push_back(sum / 6);
    }
    const auto [low, high] = bootstrap_interval(values);
    EXPECT_GE(low, quantile(means, 0.015));
    EXPECT_LE(low, quantile(means, 0.035));
    EXPECT_GE(high, quantile(means, 0.965));
    EXPECT_LE(high, quantile(means, 0.985));
  }
}

// Brute force: every sequence of wins and losses, and how many split at least as unevenly.
TEST(EvalStatistics, SignTestEqualsEnumeration) {
  for (int n = 0; n <= 12; ++n)
    for (int won = 0; won <= n; ++won) {
      int64_t as_uneven = 0;
      for (uint32_t set = 0; set < (1u << n); ++set)
        as_uneven += std::abs(2 * std::popcount(set) - n) >= std::abs(2 * won - n);
      EXPECT_NEAR(sign_test(won, n - won), std::ldexp(static_cast<double>(as_uneven), -n), 1e-12);
    }
  EXPECT_NEAR(sign_test(2000, 2000), 1, 1e-12);
  EXPECT_GT(sign_test(1900, 2100), 0);
}

TEST(EvalStatistics, QuantileIsTheNearestRank) {
  EXPECT_EQ(quantile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(quantile({3, 1, 2}, 0.9), 3);
  EXPECT_EQ(quantile({5}, 0), 5);
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
  EXPECT_TRUE(std::isnan(mean({})));
}

}  // namespace
}  // namespace covrl
