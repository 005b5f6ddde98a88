// Holds the entropy in a band by making a covariance control stronger or weaker: before each
// rollout step, with entropy H,
//   H < low:   strength *= exp(gain * (low - H) / low)
//   H > high:  strength *= exp(-gain * min(1, (H - high) / high))
// and nothing inside the band: the step is integral, so that the strength that holds the band
// stays. Bounded to [min_strength, max_strength]. 1 is the control as configured.
#pragma once

#include <map>
#include <string>

#include "core/config.h"
#include "core/metrics.h"

namespace covrl {

struct SetPointConfig {
  bool enable = false;
  double low = 0, high = 0;  // nats
  double gain = 0.1;
  double min_strength = 0.1, max_strength = 10;
  void describe(config::Visitor& v);
  bool operator==(const SetPointConfig&) const = default;
};

class SetPoint {
 public:
  explicit SetPoint(const SetPointConfig& config) : config_(config) {}
  void observe(double entropy);
  // Factor of what the control does: 1 when not enabled.
  double strength() const { return strength_; }
  // entropy_ctrl/strength, when enabled.
  void report(Metrics& metrics) const;
  // `control`/strength, when enabled.
  std::map<std::string, double> state(const std::string& control) const;
  void load_state(const std::string& control, const std::map<std::string, double>& state);

 private:
  SetPointConfig config_;
  double strength_ = 1;
};

}  // namespace covrl
