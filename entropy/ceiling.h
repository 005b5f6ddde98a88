// The law R = -a e^H + b between entropy H (nats a token) and reward R, and the ceiling b - a that
// it sets for a policy without entropy left (arXiv 2505.22617, section 2). It is linear in e^H:
// ordinary least squares of R on [-e^H, 1]. docs/entropy_law.md says how the points come about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace covrl {

struct LawPoint {
  int64_t step = 0;    // rollout steps that the weights have made
  double entropy = 0;  // of those weights
  double reward = 0;   // of those weights, in evaluation
};

struct Estimate {
  double value = 0;
  double standard_error = 0;  // NaN with fewer than three points
};

// All NaN when the points do not determine a line (fewer than two different entropies).
struct LawFit {
  size_t num_points = 0;
  double spread = 0;  // largest minus smallest e^H
  Estimate a, b;
  double r_squared = 0;
  double residual_deviation = 0;  // sqrt(sum of squared residuals / (points - 2))
  double mean_exp_entropy = 0;
  double sum_of_squares = 0;  // of e^H about its mean

  // The curve at this entropy; its error includes the covariance of a and b.
  Estimate predict(double entropy) const;
  // One evaluation at this entropy: the curve's error and the scatter about it together.
  Estimate predict_observation(double entropy) const;
  // b - a, the curve where e^H would be 1.
  Estimate ceiling() const { return predict(0); }

  // Why the fit is too poor to be believed, in words; empty: it may speak. The bounds are these.
  static constexpr size_t kMinPoints = 5;
  static constexpr double kMinSpread = 0.05;  // of e^H
  static constexpr double kMinRSquared = 0.8;
  std::string reason_for_silence() const;
};

LawFit fit_law(const std::vector<LawPoint>& points);

// The early prediction of the paper's section 2.4: a fit on the first points alone, told the
// entropies of the rest.
struct EarlyPrediction {
  LawFit fit;
  Estimate final_reward;  // one evaluation, at the last point's entropy
  double actual = 0;      // the last point's reward
  double error = 0;       // absolute, of final_reward
  double rmse_rest = 0;   // over the points that the fit has not seen
};
// NaN where nothing is left to predict.
EarlyPrediction predict_from_first(const std::vector<LawPoint>& points, size_t num_first);
// The first `share` of the points, and as many as a fit needs to speak at all.
size_t num_first_points(size_t num_points, double share);

}  // namespace covrl
