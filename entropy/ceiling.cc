#include "entropy/ceiling.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace covrl {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double square(double x) { return x * x; }

}  // namespace

LawFit fit_law(const std::vector<LawPoint>& points) {
  LawFit fit;
  fit.num_points = points.size();
  fit.a = fit.b = {kNaN, kNaN};
  fit.r_squared = fit.residual_deviation = kNaN;
  const double count = static_cast<double>(points.size());
  double mean_x = 0, mean_y = 0, low = kNaN, high = kNaN;
  bool reward_moves = false;
  for (const LawPoint& point : points) {
    const double x = std::exp(point.entropy);
    mean_x += x / count;
    mean_y += point.reward / count;
    low = std::fmin(low, x);
    high = std::fmax(high, x);
    reward_moves = reward_moves || point.reward != points.front().reward;
  }
  fit.mean_exp_entropy = mean_x;
  fit.spread = points.empty() ? 0 : high - low;
  if (!(fit.spread > 0)) return fit;

  double xx = 0, xy = 0, yy = 0;  // about the means
  for (const LawPoint& point : points) {
    const double x = std::exp(point.entropy) - mean_x, y = point.reward - mean_y;
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  fit.sum_of_squares = xx;
  fit.a.value = -xy / xx;
  fit.b.value = mean_y + fit.a.value * mean_x;
  double residuals = 0;
  for (const LawPoint& point : points)
    residuals += square(point.reward - fit.predict(point.entropy).value);
  if (reward_moves) fit.r_squared = 1 - residuals / yy;
  if (points.size() > 2) fit.residual_deviation = std::sqrt(residuals / (count - 2));
  fit.a.standard_error = fit.residual_deviation / std::sqrt(xx);
  fit.b.standard_error = fit.residual_deviation * std::sqrt(1 / count + square(mean_x) / xx);
  return fit;
}

Estimate LawFit::predict(double entropy) const {
  const double x = std::exp(entropy);
  const double leverage =
      1 / static_cast<double>(num_points) + square(x - mean_exp_entropy) / sum_of_squares;
  return {b.value - a.value * x, residual_deviation * std::sqrt(leverage)};
}

Estimate LawFit::predict_observation(double entropy) const {
  const Estimate curve = predict(entropy);
  return {curve.value, std::hypot(curve.standard_error, residual_deviation)};
}

std::string LawFit::reason_for_silence() const {
  if (num_points < kMinPoints)
    return concat(num_points, num_points == 1 ? " point" : " points", ", fewer than ", kMinPoints);
  if (!(spread >= kMinSpread))
    return concat("e^H has moved by ", spread, " only, less than ", kMinSpread);
  if (std::isnan(r_squared)) return "the reward has not moved";
  if (!(a.value > 0)) return concat("a = ", a.value, ": the reward does not rise as entropy falls");
  if (!(r_squared >= kMinRSquared))
    return concat("R^2 = ", r_squared, ", less than ", kMinRSquared);
  return "";
}

EarlyPrediction predict_from_first(const std::vector<LawPoint>& points, size_t num_first) {
  EarlyPrediction early;
  early.final_reward = {kNaN, kNaN};
  early.actual = early.error = early.rmse_rest = kNaN;
  if (points.size() <= num_first) return early;
  const auto end_of_first = points.begin() + static_cast<ptrdiff_t>(num_first);
  early.fit = fit_law({points.begin(), end_of_first});
  early.final_reward = early.fit.predict_observation(points.back().entropy);
  early.actual = points.back().reward;
  early.error = std::abs(early.final_reward.value - early.actual);
  double squares = 0;
  for (auto point = end_of_first; point != points.end(); ++point)
    squares += square(early.fit.predict(point->entropy).value - point->reward);
  early.rmse_rest = std::sqrt(squares / static_cast<double>(points.size() - num_first));
  return early;
}

size_t num_first_points(size_t num_points, double share) {
  const double wanted = std::ceil(share * static_cast<double>(num_points) - 1e-9);
  return std::max(LawFit::kMinPoints, static_cast<size_t>(wanted));
}

}  // namespace covrl
