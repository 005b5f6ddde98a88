#include "entropy/dynamics.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <limits>

#include "tests/support/vectors.h"

namespace covrl {
namespace {

using testing::expect_close;
using testing::vector_tensor;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

at::Tensor entropy_of(const at::Tensor& logits) {
  const at::Tensor logprob = logits.log_softmax(-1);
  return -(logprob.exp() * logprob).sum(-1);
}

// What the logits' move really does.
at::Tensor exact_change(const at::Tensor& logits, const at::Tensor& change) {
  return entropy_of(logits + change) - entropy_of(logits);
}

TEST(EntropyDynamics, AgreesWithTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "entropy_dynamics");
  int num_rows = 0;
  for (const Json& one : testing::vector_cases(path)) {
    const at::Tensor logits = vector_tensor(one.at("logits"));
    const at::Tensor advantage = vector_tensor(one.at("advantage"));
    const at::Tensor logprob = logits.log_softmax(-1);
    expect_close(entropy_of(logits).item<double>(), one.at("entropy"), {}, "entropy");
    expect_close(-policy_gradient_change(logprob, advantage, 1).item<double>(),
                 one.at("cov_logp_piA"), {}, "Cov(log pi, pi A)");
    expect_close(-natural_gradient_change(logprob, advantage, 1).item<double>(),
                 one.at("cov_logp_A"), {}, "Cov(log pi, A)");
    for (const Json& row : one.at("rows")) {
      const double eta = row.at("eta");
      expect_close(policy_gradient_change(logprob, advantage, eta).item<double>(),
                   row.at("pred_pg"), {}, "pred_pg");
      expect_close(natural_gradient_change(logprob, advantage, eta).item<double>(),
                   row.at("pred_npg"), {}, "pred_npg");
      const testing::Tolerance difference{1e-9, 1e-14};  // of two entropies near 1
      expect_close(exact_change(logits, eta * logprob.exp() * advantage).item<double>(),
                   row.at("dH_pg"), difference, "dH_pg");
      expect_close(exact_change(logits, eta * advantage).item<double>(), row.at("dH_npg"),
                   difference, "dH_npg");
      ++num_rows;
    }
  }
  std::cout << num_rows << " rows of entropy_dynamics\n";
}

// Error(eta) = c eta^2 + O(eta^3): halving eta quarters it.
TEST(EntropyDynamics, FirstOrderErrorIsQuadraticInTheStep) {
  at::manual_seed(3);
  for (int trial = 0; trial < 20; ++trial) {
    const at::Tensor logits = at::randn({3 + trial}, at::kDouble) * 1.5;
    const at::Tensor advantage = at::randn({3 + trial}, at::kDouble);
    const at::Tensor logprob = logits.log_softmax(-1);
    const auto error = [&](bool natural, double eta) {
      const at::Tensor move = eta * (natural ? advantage : logprob.exp() * advantage);
      const at::Tensor predicted = natural ? natural_gradient_change(logprob, advantage, eta)
                                           : policy_gradient_change(logprob, advantage, eta);
      return (exact_change(logits, move) - predicted).item<double>();
    };
    for (const bool natural : {false, true}) {
      // Of the extrapolated quadratic coefficient, so that one that is 0 by chance does no harm.
      const double coarse = error(natural, 2e-3) / 4e-6, fine = error(natural, 1e-3) / 1e-6;
      EXPECT_NEAR(fine, coarse, 0.02 * std::max(std::abs(fine), 0.05)) << trial << natural;
    }
  }
}

// With every action in proportion to its probability, the sampled estimate is the lemma itself.
TEST(EntropyDynamics, SampledTokensEstimateTheLemma) {
  const at::Tensor pi = at::tensor({0.5, 0.3, 0.2}, at::kDouble), logprob = pi.log();
  const at::Tensor move = at::tensor({0.3, -0.4, 0.9}, at::kDouble) * 1e-3;
  const at::Tensor moved = (logprob + move).log_softmax(-1);
  const at::Tensor counts = at::tensor({5, 3, 2}, at::kLong);
  const auto sampled = [&](const at::Tensor& values) { return values.repeat_interleave(counts); };
  const auto flat = [&](const at::Tensor& entropy) { return entropy.expand({10}); };
  const SameStatesChange change =
      same_states_change(sampled(logprob), flat(entropy_of(logprob)), sampled(moved),
                         flat(entropy_of(moved)), at::ones({10}, at::kBool));
  EXPECT_NEAR(change.measured, exact_change(logprob, move).item<double>(), 1e-15);
  // Cov(log pi, dlog pi) with the mean of log pi exact: the shift of the log-probs drops out.
  EXPECT_NEAR(change.first_order, first_order_entropy_change(logprob, move).item<double>(), 1e-15);
}

TEST(EntropyDynamics, NothingOutsideTheMaskIsRead) {
  const at::Tensor mask = at::tensor({1, 0, 1}, at::kLong).to(at::kBool);
  const at::Tensor logprob = at::tensor({-1.0, kNaN, -3.0}, at::kFloat);
  const at::Tensor advantage = at::tensor({2.0, kNaN, -2.0}, at::kFloat);
  const SameStatesChange change =
      same_states_change(logprob, advantage, logprob + 1, advantage + 1, mask);
  EXPECT_DOUBLE_EQ(change.measured, 1);
  EXPECT_DOUBLE_EQ(change.first_order, -(1.0 - 5.0) / 2);
  EXPECT_EQ(
      same_states_change(logprob, advantage, logprob, advantage, at::zeros_like(mask)).first_order,
      0);
}

TEST(ChangeForecast, PredictsFromEarlierStepsAlone) {
  ChangeForecast forecast;
  EXPECT_FALSE(forecast.add(0.1, -0.02).predicted);
  EXPECT_FALSE(forecast.add(0.2, -0.04).predicted);
  const ChangeForecast::Outcome third = forecast.add(0.3, 5);  // far off: it must not help itself
  EXPECT_NEAR(third.eta.value(), 0.2, 1e-12);
  EXPECT_NEAR(third.predicted.value(), -0.06, 1e-12);
  EXPECT_EQ(third.measured, 5);
  EXPECT_LT(third.correlation.value(), 0);
}

TEST(ChangeForecast, IsSilentWithoutCovariance) {
  ChangeForecast forecast;
  for (int i = 0; i < 4; ++i) {
    const ChangeForecast::Outcome outcome = forecast.add(0, -0.1 * i);
    EXPECT_FALSE(outcome.predicted || outcome.correlation);
  }
}

TEST(Correlation, KnowsLinesAndRefusesTooLittle) {
  EXPECT_NEAR(correlation({1, 2, 3}, {2, 4, 6}).value(), 1, 1e-12);
  EXPECT_NEAR(correlation({1, 2, 3}, {6, 4, 2}).value(), -1, 1e-12);
  EXPECT_FALSE(correlation({1, 2}, {1, 2}));
  EXPECT_FALSE(correlation({1, 2, 3}, {4, 4, 4}));
}

}  // namespace
}  // namespace covrl
