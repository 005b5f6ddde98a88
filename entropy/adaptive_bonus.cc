// An entropy bonus whose coefficient looks for the entropy: before each rollout step it rises by
// adaptive_coeff_step when the entropy is below target_entropy and falls by as much when it is
// above, within [adaptive_coeff_min, adaptive_coeff_max]; it starts at entropy_coeff. Above the
// target the bonus rests (the coefficient keeps its value), as in Skywork-OR1 (arXiv 2505.22312).
#include <algorithm>

#include "entropy/control.h"

namespace covrl {
namespace {

class AdaptiveBonusControl : public EntropyControl {
 public:
  explicit AdaptiveBonusControl(const EntropyControlConfig& config)
      : config_(config), coefficient_(config.entropy_coeff) {}

  void observe(double entropy) override {
    const double step = config_.adaptive_coeff_step;
    resting_ = entropy > config_.target_entropy;
    coefficient_ += entropy < config_.target_entropy ? step : resting_ ? -step : 0;
    coefficient_ = std::clamp(coefficient_, config_.adaptive_coeff_min, config_.adaptive_coeff_max);
  }

  at::Tensor apply(const ControlTerms& terms) const override {
    return acting() == 0 ? terms.loss_T : terms.loss_T - acting() * terms.entropy_T;
  }
  bool fuse(const at::Tensor&, FusedControls& fused) const override {
    return fused.reward_entropy(acting());
  }

  void report(Metrics& metrics) override { metrics.set("entropy_ctrl/bonus_coeff", acting()); }

  std::map<std::string, double> state() const override {
    return {{"adaptive_bonus/coefficient", coefficient_}};
  }
  void load_state(const std::map<std::string, double>& state) override {
    const auto found = state.find("adaptive_bonus/coefficient");
    if (found != state.end()) coefficient_ = found->second;
  }

 private:
  double acting() const { return resting_ ? 0 : coefficient_; }

  EntropyControlConfig config_;
  double coefficient_;
  bool resting_ = false;
};

}  // namespace

std::unique_ptr<EntropyControl> make_adaptive_bonus_control(const EntropyControlConfig& config) {
  return std::make_unique<AdaptiveBonusControl>(config);
}

}  // namespace covrl
