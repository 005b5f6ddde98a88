// The keys of actor.entropy_control. Every control's keys carry its name; a key of a control that
// is not chosen is refused. docs/entropy.md says what each does.
#pragma once

#include <string>
#include <vector>

#include "core/config.h"
#include "entropy/set_point.h"

namespace covrl {

struct EntropyControlConfig {
  std::vector<std::string> kind = {"none"};  // table.cc; several are applied in this order
  std::string score = "current";  // log-probs to select by: "current", "old" (control_stack.h)
  std::string scope = "mini";     // population of a selection: "mini", "micro"

  double clip_cov_ratio = 0.0002;  // fractions of the tokens
  double clip_cov_lb = 1.0, clip_cov_ub = 5.0;
  double kl_cov_ratio = 0.002;
  double ppo_kl_coef = 1.0;
  std::string kl_cov_penalty = "abs";  // "abs", "k1", "k2", "k3"
  bool kl_cov_with_clip = false;       // checked against the policy loss in rl/learner.cc
  bool force_ratio = false;

  double entropy_coeff = 0.0;  // bonus: loss -= coeff * entropy; either sign. adaptive_bonus: start
  double target_entropy = 0.0;  // adaptive_bonus, nats
  double adaptive_coeff_step = 0.001;
  double adaptive_coeff_min = 0.0, adaptive_coeff_max = 0.1;

  double top_entropy_ratio = 0.2;
  SetPointConfig set_point = {};
  bool rescore = false;  // measure the change of entropy in the same states

  void describe(config::Visitor& v);
  bool has(const std::string& control) const;
  bool has_covariance_control() const { return has("clip_cov") || has("kl_cov"); }

 private:
  void describe_covariance_controls(config::Visitor& v);
  void describe_bonuses(config::Visitor& v);
  void check_combination(config::Visitor& v) const;
  void check_inert(config::Visitor& v) const;
  bool selects() const;
};

}  // namespace covrl
