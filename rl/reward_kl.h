// KL to the reference model as a part of the reward, token by token (InstructGPT, arXiv
// 2203.02155): reward_t -= coefficient * kl(old_logprob_t, ref_logprob_t).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/metrics.h"
#include "rl/batch.h"
#include "rl/kl_controller.h"

namespace covrl {

struct RewardKlConfig {
  bool use_kl_in_reward = false;
  std::string kl_penalty = "k1";  // rl/loss/kl.h
  KlControllerConfig kl_ctrl;
  void describe(config::Visitor& v);
};

class RewardKl {
 public:
  explicit RewardKl(const RewardKlConfig& config) : config_(config), controller_(config.kl_ctrl) {}

  // Takes the penalty off reward_T [T] inside the loss mask, then moves an adaptive coefficient.
  // Needs old_logprob and ref_logprob. Nothing when use_kl_in_reward is off. Metrics:
  // actor/reward_kl_penalty (mean over completions of the token mean), and
  // actor/reward_kl_penalty_coeff, as applied.
  void apply(const Batch& batch, std::vector<double>& reward_T, Metrics& metrics);

  // What an adaptive coefficient has reached, for checkpoints.
  std::map<std::string, double> state() const;
  void load_state(const std::map<std::string, double>& state);

 private:
  RewardKlConfig config_;
  KlController controller_;
};

}  // namespace covrl
