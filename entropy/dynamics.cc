#include "entropy/dynamics.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"

namespace covrl {
namespace {

constexpr size_t kMinEarlierChanges = 2;
constexpr size_t kMinPairs = 3;

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

at::Tensor inside(const at::Tensor& values_T, const at::Tensor& mask_T) {
  return values_T.masked_select(mask_T).to(at::kDouble);
}

}  // namespace

at::Tensor first_order_entropy_change(const at::Tensor& logprob, const at::Tensor& change) {
  const at::Tensor pi = logprob.exp();
  const at::Tensor mean_logprob = (pi * logprob).sum(-1, /*keepdim=*/true);
  return -(pi * (logprob - mean_logprob) * change).sum(-1);
}

at::Tensor policy_gradient_change(const at::Tensor& logprob, const at::Tensor& advantage,
                                  double eta) {
  return first_order_entropy_change(logprob, eta * logprob.exp() * advantage);
}

at::Tensor natural_gradient_change(const at::Tensor& logprob, const at::Tensor& advantage,
                                   double eta) {
  return first_order_entropy_change(logprob, eta * advantage);
}

SameStatesChange same_states_change(const at::Tensor& old_logprob_T,
                                    const at::Tensor& old_entropy_T,
                                    const at::Tensor& new_logprob_T,
                                    const at::Tensor& new_entropy_T, const at::Tensor& mask_T) {
  const at::Tensor l0 = inside(old_logprob_T, mask_T), h0 = inside(old_entropy_T, mask_T);
  const at::Tensor l1 = inside(new_logprob_T, mask_T), h1 = inside(new_entropy_T, mask_T);
  if (l0.numel() == 0) return {};
  return {(h1 - h0).mean().item<double>(), -((l0 + h0) * (l1 - l0)).mean().item<double>()};
}

ChangeForecast::Outcome ChangeForecast::add(double covariance, double change) {
  COVRL_CHECK(std::isfinite(covariance) && std::isfinite(change), "covariance ", covariance,
              ", change ", change);
  Outcome outcome;
  outcome.measured = change;
  double xx = 0, xy = 0;
  for (size_t i = 0; i < change_.size(); ++i) {
    xx += minus_covariance_[i] * minus_covariance_[i];
    xy += minus_covariance_[i] * change_[i];
  }
  if (change_.size() >= kMinEarlierChanges && xx > 0) {
    outcome.eta = xy / xx;
    outcome.predicted = *outcome.eta * -covariance;
  }
  minus_covariance_.push_back(-covariance);
  change_.push_back(change);
  outcome.correlation = correlation(minus_covariance_, change_);
  return outcome;
}

std::optional<double> correlation(const std::vector<double>& x, const std::vector<double>& y) {
  COVRL_CHECK(x.size() == y.size(), x.size(), " and ", y.size(), " values");
  if (x.size() < kMinPairs) return std::nullopt;
  const double mean_x = mean_of(x), mean_y = mean_of(y);
  double xx = 0, xy = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  if (!(xx > 0 && yy > 0)) return std::nullopt;
  return xy / std::sqrt(xx * yy);
}

}  // namespace covrl
