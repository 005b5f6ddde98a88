// The coefficient of a KL penalty: fixed, or adapted towards a wanted KL (arXiv 1909.08593,
// section 2.2).
#pragma once

#include <cstdint>
#include <string>

#include "core/config.h"

namespace covrl {

struct KlControllerConfig {
  std::string type = "fixed";  // "fixed", "adaptive"
  double kl_coef = 0.001;      // at the start
  double target_kl = 0.1;      // nats a token
  double horizon = 10000;      // completions: the coefficient changes by at most 20 % in so many
  bool operator==(const KlControllerConfig&) const = default;
  void describe(config::Visitor& v);
};

class KlController {
 public:
  explicit KlController(const KlControllerConfig& config);
  double value() const { return value_; }
  void set_value(double value) { value_ = value; }
  // adaptive: value *= 1 + clip(kl / target_kl - 1, -0.2, 0.2) * num_completions / horizon.
  void update(double kl, double num_completions);

 private:
  KlControllerConfig config_;
  double value_;
};

}  // namespace covrl
