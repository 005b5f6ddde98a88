#include "rl/reward_kl.h"

#include <ATen/ATen.h>

#include "rl/loss/kl.h"
#include "rl/summary.h"

namespace covrl {
namespace {

constexpr const char* kStateName = "reward_kl_coef";

// A straight-through form differs in its gradient alone, which a reward has none of.
std::vector<std::string> value_names() {
  std::vector<std::string> names;
  for (const std::string& name : kl_names())
    if (name.back() != '+') names.push_back(name);
  return names;
}

}  // namespace

void RewardKlConfig::describe(config::Visitor& v) {
  v.field("use_kl_in_reward", use_kl_in_reward,
          "Take the KL to the reference model off each token's reward. It may be combined with "
          "actor.kl_loss_coef, which puts a KL into the loss.");
  v.word("kl_penalty", kl_penalty,
         "Estimator of the KL in the reward; kl, mse and low_var_kl are other names of k1, k2 and "
         "k3.",
         value_names());
  v.section("kl_ctrl", kl_ctrl, "Weight of the KL in the reward.");
  const RewardKlConfig defaults;
  v.check(use_kl_in_reward || kl_penalty == defaults.kl_penalty, "kl_penalty",
          "has no effect with use_kl_in_reward false; set that true, or remove the key");
  v.check(use_kl_in_reward || kl_ctrl == defaults.kl_ctrl, "kl_ctrl",
          "has no effect with use_kl_in_reward false; set that true, or remove the section");
}

void RewardKl::apply(const Batch& batch, std::vector<double>& reward_T, Metrics& metrics) {
  if (!config_.use_kl_in_reward) return;
  const at::NoGradGuard no_grad;
  const at::Tensor kl_T = kl_term(config_.kl_penalty, batch.old_logprob_T.get().to(at::kDouble),
                                  batch.ref_logprob_T.get().to(at::kDouble))
                              .contiguous();
  const double* kl = kl_T.const_data_ptr<double>();
  const bool* mask = batch.loss_mask_T.const_data_ptr<bool>();
  Summary of_completions;
  double num_completions = 0;
  for (size_t n = 0; n + 1 < batch.cu_seqlens.size(); ++n) {
    Summary of_tokens;
    bool any = false;
    for (int64_t t = batch.cu_seqlens[n]; t < batch.cu_seqlens[n + 1]; ++t) {
      if (!mask[t]) continue;
      any = true;
      of_tokens.add(kl[t]);
      reward_T[static_cast<size_t>(t)] -= controller_.value() * kl[t];
    }
    if (!any) continue;
    of_completions.add(of_tokens.mean());
    num_completions += 1;
  }
  metrics.set("actor/reward_kl_penalty", of_completions.mean());
  metrics.set("actor/reward_kl_penalty_coeff", controller_.value());
  if (num_completions > 0) controller_.update(of_completions.mean(), num_completions);
}

std::map<std::string, double> RewardKl::state() const {
  if (!config_.use_kl_in_reward) return {};
  return {{kStateName, controller_.value()}};
}

void RewardKl::load_state(const std::map<std::string, double>& state) {
  const auto found = state.find(kStateName);
  if (config_.use_kl_in_reward && found != state.end()) controller_.set_value(found->second);
}

}  // namespace covrl
