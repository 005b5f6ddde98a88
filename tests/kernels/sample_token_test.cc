#include "kernels/sample_token.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/rng.h"
#include "kernels/linear.h"
#include "kernels/mode.h"
#include "kernels/reference_logprob.h"
#include "kernels/token_logprob.h"

// B rows, V vocabulary.
namespace covrl::kernels {

static void PrintTo(const SamplingFilter& filter, std::ostream* out) {
  *out << "temperature " << filter.temperature << " top_k " << filter.top_k << " top_p "
       << filter.top_p << " min_p " << filter.min_p;
}

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<double> uniforms(int64_t count) {
  std::vector<double> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = uniform(11, Stream::kTest, {0, static_cast<uint64_t>(i), 0, 0});
  return values;
}

at::Tensor make_logits(int64_t num_rows, int64_t num_ids) {
  at::manual_seed(5);
  return at::randn({num_rows, num_ids}) * 3;
}

std::vector<int64_t> support(const std::vector<double>& probability) {
  std::vector<int64_t> ids;
  for (size_t id = 0; id < probability.size(); ++id)
    if (probability[id] > 0) ids.push_back(static_cast<int64_t>(id));
  return ids;
}

std::vector<int64_t> support(const at::Tensor& logits, const SamplingFilter& filter) {
  return support(filtered_distribution(logits, filter));
}

at::Tensor log_of(const std::vector<double>& probability) {
  return at::tensor(probability, at::kDouble).log().to(at::kFloat);
}

// Upper 1e-6 point of the chi-square distribution (Wilson and Hilferty 1931).
double chi_square_bound(int64_t degrees) {
  const double spread = 2.0 / (9.0 * static_cast<double>(degrees));
  return static_cast<double>(degrees) * std::pow(1 - spread + 4.753 * std::sqrt(spread), 3);
}

class SampleTokenFilters : public ::testing::TestWithParam<SamplingFilter> {};

TEST_P(SampleTokenFilters, DistributionMatchesTheOracle) {
  for (const int64_t num_ids : {1, 2, 7, 257, 1009}) {
    const at::Tensor logits = make_logits(1, num_ids)[0];
    const std::vector<double> fast = filtered_distribution(logits, GetParam());
    const std::vector<double> oracle = reference::filtered_distribution(logits, GetParam());
    ASSERT_EQ(support(fast), support(oracle)) << num_ids;
    // The logit's distance to the largest, about -log p, is rounded to float before exp.
    for (const int64_t id : support(fast))
      EXPECT_NEAR(fast[id], oracle[id], 0x1p-23 * (4 - std::log(oracle[id])) * oracle[id]);
  }
}

TEST_P(SampleTokenFilters, DrawsFollowTheDistribution) {
  const int64_t num_draws = 20000, num_ids = 40;
  const at::Tensor logits = make_logits(1, num_ids);
  const std::vector<double> probability = filtered_distribution(logits[0], GetParam());
  const SampledTokens sampled = sample_token(logits.expand({num_draws, num_ids}).contiguous(),
                                             GetParam(), uniforms(num_draws));
  std::vector<int64_t> counts(num_ids);
  for (const int64_t token : sampled.token) {
    ASSERT_GT(probability[token], 0) << token;
    ++counts[token];
  }
  double statistic = 0, rest_expected = 0, rest_seen = 0;
  int64_t degrees = -1;
  const auto add = [&](double expected, double seen) {
    statistic += (seen - expected) * (seen - expected) / expected;
    ++degrees;
  };
  for (int64_t id = 0; id < num_ids; ++id) {
    const double expected = probability[id] * num_draws;
    if (expected >= 10) {
      add(expected, static_cast<double>(counts[id]));
    } else {
      rest_expected += expected;
      rest_seen += static_cast<double>(counts[id]);
    }
  }
  if (rest_expected >= 10) add(rest_expected, rest_seen);
  if (degrees > 0) {
    EXPECT_LT(statistic, chi_square_bound(degrees));
  }
}

TEST_P(SampleTokenFilters, ReferenceModeDrawsTheSame) {
  const at::Tensor logits = make_logits(50, 300);
  const SampledTokens fast = sample_token(logits, GetParam(), uniforms(50));
  set_mode(Mode::kReference);
  const SampledTokens oracle = sample_token(logits, GetParam(), uniforms(50));
  set_mode(Mode::kFast);
  EXPECT_EQ(fast.token, oracle.token);
  for (int64_t row = 0; row < 50; ++row) {
    EXPECT_NEAR(fast.logprob[row], oracle.logprob[row], 0x1p-21 * (1 - oracle.logprob[row]));
    EXPECT_NEAR(fast.filtered_logprob[row], oracle.filtered_logprob[row],
                0x1p-21 * (1 - oracle.logprob[row]));
    EXPECT_NEAR(fast.entropy[row], oracle.entropy[row], 0x1p-21 * (1 + oracle.entropy[row]));
  }
}

TEST_P(SampleTokenFilters, ReportsTheLogprobsOfWhatItDrew) {
  const SamplingFilter& filter = GetParam();
  const at::Tensor logits = make_logits(50, 300);
  const SampledTokens sampled = sample_token(logits, filter, uniforms(50));
  const double temperature = filter.temperature == 0 ? 1 : filter.temperature;
  const TokenLogprob scored =
      token_logprob_from_logits(logits, at::tensor(sampled.token, at::kLong), temperature);
  for (int64_t row = 0; row < 50; ++row) {
    EXPECT_EQ(sampled.logprob[row], scored.logprob_T[row].item<float>());
    EXPECT_EQ(sampled.entropy[row], scored.entropy_T[row].item<float>());
    const double probability = filtered_distribution(logits[row], filter)[sampled.token[row]];
    EXPECT_NEAR(sampled.filtered_logprob[row], std::log(probability), 2e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Filters, SampleTokenFilters,
    ::testing::Values(SamplingFilter{1.0, 0, 1.0, 0.0}, SamplingFilter{0.6, 0, 1.0, 0.0},
                      SamplingFilter{1.0, 5, 1.0, 0.0}, SamplingFilter{1.0, 5000, 1.0, 0.0},
                      SamplingFilter{1.3, 0, 0.9, 0.0}, SamplingFilter{0.6, 0, 1.0, 0.05},
                      SamplingFilter{0.8, 20, 0.95, 0.01}, SamplingFilter{1.0, 0, 1e-9, 0.0},
                      SamplingFilter{1.0, 1, 1.0, 0.0}, SamplingFilter{0.0, 0, 1.0, 0.0}));

TEST(SampleToken, UnfilteredLogprobsAgreeInEveryBit) {
  const SampledTokens sampled =
      sample_token(make_logits(20, 700), {0.6, 0, 1.0, 0.0}, uniforms(20));
  EXPECT_EQ(sampled.filtered_logprob, sampled.logprob);
}

TEST(SampleToken, ScoringTheDrawnTokenGivesItsBits) {
  at::manual_seed(6);
  const at::Tensor hidden = at::randn({5, 32}), head = at::randn({5000, 32}) * 0.5;
  for (int64_t row = 0; row < 5; ++row) {
    const at::Tensor alone = hidden.narrow(0, row, 1);
    const SampledTokens sampled =
        sample_token(kernels::linear(alone, head), {0.6, 0, 1.0, 0.0}, {uniforms(5)[row]});
    const TokenLogprob scored =
        token_logprob(hidden, head, at::full({5}, sampled.token[0], at::kLong), 0.6);
    EXPECT_EQ(sampled.logprob[0], scored.logprob_T[row].item<float>());
    EXPECT_EQ(sampled.entropy[0], scored.entropy_T[row].item<float>());
  }
}

TEST(SampleToken, RowDoesNotDependOnItsBatchOrOnThreads) {
  const at::Tensor logits = make_logits(33, 1003);
  const std::vector<double> draws = uniforms(33);
  const SamplingFilter filter{0.7, 50, 0.9, 0.0};
  const int threads = at::get_num_threads();
  at::set_num_threads(3);
  const SampledTokens whole = sample_token(logits, filter, draws);
  at::set_num_threads(threads);
  for (int64_t row = 0; row < 33; ++row) {
    const SampledTokens alone = sample_token(logits.narrow(0, row, 1), filter, {draws[row]});
    EXPECT_EQ(alone.token[0], whole.token[row]);
    EXPECT_EQ(alone.logprob[0], whole.logprob[row]);
    EXPECT_EQ(alone.filtered_logprob[0], whole.filtered_logprob[row]);
    EXPECT_EQ(alone.entropy[0], whole.entropy[row]);
  }
}

TEST(SampleToken, InverseTransformGoesInOrderOfId) {
  const at::Tensor logits = log_of({0.25, 0.0, 0.5, 0.25}).expand({5, 4}).contiguous();
  const SampledTokens sampled = sample_token(logits, {}, {0.0, 0.249, 0.251, 0.749, 0.999999999});
  EXPECT_EQ(sampled.token, (std::vector<int64_t>{0, 0, 2, 2, 3}));
}

TEST(SampleToken, NeverDrawsAnImpossibleToken) {
  at::Tensor logits = at::full({2, 1000}, -kInfinity);
  logits.select(1, 500).zero_();
  const double last = std::nextafter(1.0, 0.0);
  EXPECT_EQ(sample_token(logits, {}, {0.0, last}).token, (std::vector<int64_t>{500, 500}));
}

TEST(SampleToken, GreedyTakesTheLowestIdAmongEquals) {
  at::Tensor logits = at::zeros({1, 600});
  logits[0][301] = 2;
  logits[0][17] = 2;
  const SampledTokens sampled = sample_token(logits, {0.0, 0, 1.0, 0.0}, {0.99});
  EXPECT_EQ(sampled.token[0], 17);
  EXPECT_EQ(sampled.filtered_logprob[0], 0);
}

TEST(SampleToken, TopKKeepsTies) {
  const at::Tensor logits = at::tensor({1.0f, 3.0f, 2.0f, 2.0f, 0.0f});
  EXPECT_EQ(support(logits, {1.0, 2, 1.0, 0.0}), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(support(logits, {1.0, 1, 1.0, 0.0}), (std::vector<int64_t>{1}));
  EXPECT_EQ(support(logits, {1.0, 6, 1.0, 0.0}).size(), 5u);
}

TEST(SampleToken, TopPKeepsTheSmallestSetThatReachesIt) {
  const at::Tensor logits = log_of({0.1, 0.4, 0.3, 0.2});
  EXPECT_EQ(support(logits, {1.0, 0, 0.39, 0.0}), (std::vector<int64_t>{1}));
  EXPECT_EQ(support(logits, {1.0, 0, 0.69, 0.0}), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(support(logits, {1.0, 0, 0.71, 0.0}), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(support(logits, {1.0, 0, 1e-12, 0.0}), (std::vector<int64_t>{1}));
  const at::Tensor equal = at::zeros({1000});
  EXPECT_EQ(support(equal, {1.0, 0, 0.4995, 0.0}).size(), 500u);
  EXPECT_EQ(support(equal, {1.0, 0, 0.4995, 0.0}).back(), 499);
}

TEST(SampleToken, TopPCountsAfterTopK) {
  // After top-k the three kept have 4/9, 3/9, 2/9, so that 0.7 is reached by two; of the whole it
  // would take three.
  const at::Tensor logits = log_of({0.1, 0.4, 0.3, 0.2});
  EXPECT_EQ(support(logits, {1.0, 3, 0.71, 0.0}), (std::vector<int64_t>{1, 2}));
}

TEST(SampleToken, MinPIsRelativeToTheLikeliest) {
  const at::Tensor logits = log_of({0.1, 0.4, 0.3, 0.2});
  EXPECT_EQ(support(logits, {1.0, 0, 1.0, 0.6}), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(support(logits, {1.0, 0, 1.0, 1.0}), (std::vector<int64_t>{1}));
}

TEST(SampleToken, ErrorsNameTheValueSeen) {
  const at::Tensor logits = at::zeros({2, 4});
  const auto message = [](const at::Tensor& z, const SamplingFilter& filter,
                          const std::vector<double>& draws) {
    try {
      sample_token(z, filter, draws);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_NE(message(logits, {-1.0, 0, 1.0, 0.0}, {0, 0}).find("temperature is -1"),
            std::string::npos);
  EXPECT_NE(message(logits, {1.0, -2, 1.0, 0.0}, {0, 0}).find("top_k is -2"), std::string::npos);
  EXPECT_NE(message(logits, {1.0, 0, 0.0, 0.0}, {0, 0}).find("top_p is 0"), std::string::npos);
  EXPECT_NE(message(logits, {1.0, 0, 1.0, 1.5}, {0, 0}).find("min_p is 1.5"), std::string::npos);
  EXPECT_NE(message(logits, {}, {0, 1}).find("uniform is 1"), std::string::npos);
  EXPECT_NE(message(logits, {}, {0}).find("1 uniforms for 2 rows"), std::string::npos);
  EXPECT_NE(message(logits.to(at::kDouble), {}, {0, 0}).find("Double"), std::string::npos);
  at::Tensor broken = logits.clone();
  broken[1][2] = std::nanf("");
  EXPECT_NE(message(broken, {}, {0, 0}).find("row 1 has NaN"), std::string::npos);
  EXPECT_NE(message(at::full({1, 3}, -kInfinity), {}, {0}).find("row 0"), std::string::npos);
}

}  // namespace
}  // namespace covrl::kernels
