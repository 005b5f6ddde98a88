#include "entropy/set_point.h"

#include <algorithm>
#include <cmath>

namespace covrl {

void SetPointConfig::describe(config::Visitor& v) {
  v.field("enable", enable,
          "Adjust the strength of Clip-Cov (its ratio) or KL-Cov (its coefficient) to hold the "
          "token-mean entropy in a band.");
  v.field("low", low, "Lower end of the band (nats).", {0, 100});
  v.field("high", high, "Upper end of the band (nats).", {0, 100});
  v.field("gain", gain, "Relative change of the strength in a step whose entropy is off by 100 %.",
          {1e-6, 10});
  v.field("min_strength", min_strength, "Least strength, as a multiple of the configured value.",
          {1e-6, 1});
  v.field("max_strength", max_strength, "Most strength, as a multiple of the configured value.",
          {1, 1e6});
  v.check(enable || *this == SetPointConfig(), "enable",
          "is false, so that the other keys of the section have no effect; set enable: true, or "
          "remove them");
  v.check(!enable || low < high, "high",
          "must be above low: the band is what the entropy is held in");
}

void SetPoint::observe(double entropy) {
  if (!config_.enable) return;
  double error = 0;
  if (entropy < config_.low) error = (config_.low - entropy) / config_.low;
  if (entropy > config_.high) error = -std::min(1.0, (entropy - config_.high) / config_.high);
  strength_ = std::clamp(strength_ * std::exp(config_.gain * error), config_.min_strength,
                         config_.max_strength);
}

void SetPoint::report(Metrics& metrics) const {
  if (config_.enable) metrics.set("entropy_ctrl/strength", strength_);
}

std::map<std::string, double> SetPoint::state(const std::string& control) const {
  if (!config_.enable) return {};
  return {{control + "/strength", strength_}};
}

void SetPoint::load_state(const std::string& control, const std::map<std::string, double>& state) {
  const auto found = state.find(control + "/strength");
  if (config_.enable && found != state.end()) strength_ = found->second;
}

}  // namespace covrl
