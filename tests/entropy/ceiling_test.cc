#include "entropy/ceiling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "tests/support/vectors.h"

namespace covrl {
namespace {

using testing::expect_close;
using testing::Tolerance;

std::vector<LawPoint> points_of(const Json& one_case) {
  std::vector<LawPoint> points;
  for (size_t i = 0; i < one_case.at("entropy").size(); ++i)
    points.push_back({one_case.at("step")[i].get<int64_t>(),
                      one_case.at("entropy")[i].get<double>(),
                      one_case.at("reward")[i].get<double>()});
  return points;
}

TEST(EntropyLaw, AgreesWithTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "entropy_fit");
  int num_cases = 0;
  for (const Json& one : testing::vector_cases(path)) {
    const std::vector<LawPoint> points = points_of(one);
    const Json& all = one.at("fit_all");
    const LawFit fit = fit_law(points);
    expect_close(fit.a.value, all.at("a"), {}, "a");
    expect_close(fit.b.value, all.at("b"), {}, "b");
    expect_close(fit.ceiling().value, all.at("ceiling"), {}, "ceiling");
    const Json& first = one.at("fit_first_k");
    const EarlyPrediction early = predict_from_first(points, first.at("k").get<size_t>());
    // Cancellation: differences of values near 0.45 with 16 digits.
    const Tolerance difference{1e-9, 1e-12};
    expect_close(early.fit.a.value, first.at("a"), {}, "first a");
    expect_close(early.fit.b.value, first.at("b"), {}, "first b");
    expect_close(early.fit.ceiling().value, first.at("ceiling"), {}, "first ceiling");
    expect_close(early.rmse_rest, first.at("rmse_rest"), difference, "rmse_rest");
    expect_close(early.error, std::abs(first.at("err_last").get<double>()), difference, "err_last");
    ++num_cases;
  }
  std::cout << num_cases << " cases of entropy_fit\n";
}

// Straight-line textbook values: x = e^H in {1, 2, 3, 4}, R = {5, 4, 4, 1}; slope -1.2, intercept
// 6.5, residual sum of squares 1.8, standard errors worked out by hand.
TEST(EntropyLaw, StandardErrorsIncludeTheCovariance) {
  std::vector<LawPoint> points;
  const std::vector<double> rewards = {5, 4, 4, 1};
  for (size_t i = 0; i < rewards.size(); ++i)
    points.push_back({0, std::log(static_cast<double>(i + 1)), rewards[i]});
  const LawFit fit = fit_law(points);
  const double variance = 1.8 / 2;
  const Tolerance tolerance{1e-12, 0};
  expect_close(fit.a.value, 1.2, tolerance, "a");
  expect_close(fit.b.value, 6.5, tolerance, "b");
  expect_close(fit.a.standard_error, std::sqrt(variance / 5), tolerance, "error of a");
  expect_close(fit.b.standard_error, std::sqrt(variance * (1.0 / 4 + 6.25 / 5)), tolerance,
               "error of b");
  expect_close(fit.ceiling().standard_error, std::sqrt(variance * (1.0 / 4 + 2.25 / 5)), tolerance,
               "error of the ceiling");
  expect_close(fit.predict_observation(0).standard_error,
               std::sqrt(variance * (1 + 1.0 / 4 + 2.25 / 5)), tolerance,
               "error of an observation");
  expect_close(fit.r_squared, 1 - 1.8 / 9, tolerance, "R^2");
}

std::vector<LawPoint> law(double a, double b, const std::vector<double>& entropies,
                          double wobble = 0) {
  std::vector<LawPoint> points;
  for (size_t i = 0; i < entropies.size(); ++i)
    points.push_back({static_cast<int64_t>(i), entropies[i],
                      b - a * std::exp(entropies[i]) + (i % 2 == 0 ? wobble : -wobble)});
  return points;
}

void expect_silent(const std::vector<LawPoint>& points, const std::string& word) {
  const std::string reason = fit_law(points).reason_for_silence();
  EXPECT_NE(reason.find(word), std::string::npos) << reason;
}

TEST(EntropyLaw, SaysNothingWhenTheFitIsPoor) {
  const std::vector<double> falling = {0.7, 0.5, 0.4, 0.3, 0.2, 0.1};
  EXPECT_EQ(fit_law(law(0.2, 0.6, falling)).reason_for_silence(), "");
  expect_silent({}, "0 points");
  expect_silent(law(0.2, 0.6, {0.7, 0.5, 0.4, 0.3}), "4 points");
  expect_silent(law(0.2, 0.6, {0.3, 0.3, 0.3, 0.3, 0.3}), "moved by 0");
  expect_silent(law(0.2, 0.6, {0.3, 0.31, 0.32, 0.3, 0.31}), "moved");
  expect_silent(law(0, 0.5, falling), "reward has not moved");
  expect_silent(law(-0.2, 0.6, falling), "does not rise");
  expect_silent(law(0.1, 0.6, falling, 0.05), "R^2");
}

TEST(EntropyLaw, TwoPointsGiveALineWithoutAnError) {
  const LawFit fit = fit_law(law(0.2, 0.6, {0.7, 0.5}));
  EXPECT_NEAR(fit.a.value, 0.2, 1e-12);
  EXPECT_TRUE(std::isnan(fit.a.standard_error) && std::isnan(fit.ceiling().standard_error));
}

TEST(EntropyLaw, NothingLeftToPredictIsNotANumber) {
  EXPECT_TRUE(std::isnan(predict_from_first({}, 2).error));
  EXPECT_TRUE(std::isnan(predict_from_first(law(0.2, 0.6, {0.7, 0.5}), 2).error));
  EXPECT_NEAR(predict_from_first(law(0.2, 0.6, {0.7, 0.5, 0.1}), 2).error, 0, 1e-12);
}

TEST(EntropyLaw, TheFirstShareIsRoundedUpAndEnoughForAFit) {
  EXPECT_EQ(num_first_points(60, 0.15), 9u);
  EXPECT_EQ(num_first_points(61, 0.15), 10u);
  EXPECT_EQ(num_first_points(20, 0.15), LawFit::kMinPoints);
}

}  // namespace
}  // namespace covrl
