// One optimizer update after another over a batch: score -> (per mini-batch) select -> (per
// micro-batch) terms, shape, reduce, backward -> one exact gradient sum over the learner ranks ->
// step. Loss and gradient do not depend on micro-batch size or rank count; with the same
// micro-batches the result has the same bits for any rank count.
//
// Mini-batches are consecutive parts of `ppo_mini_batch_size` prompts or responses in the batch's
// order, ppo_epochs times over. A mini-batch without a usable token makes no update and is counted.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/comm.h"
#include "core/config.h"
#include "core/metrics.h"
#include "entropy/control_stack.h"
#include "entropy/selected_tokens.h"
#include "policy/model.h"
#include "rl/batch.h"
#include "rl/batch_pass.h"
#include "rl/gradient_sum.h"
#include "rl/loss/objective.h"
#include "rl/loss/policy_loss.h"
#include "rl/optimizer.h"
#include "rl/update_config.h"

namespace covrl {

struct LearnerConfig : UpdateConfig {
  double pg_loss_coeff = 1.0;                 // 0 allowed: entropy and KL alone drive the policy
  std::optional<double> logprob_temperature;  // null: that of sampling
  PolicyLossConfig policy_loss;
  EntropyControlConfig entropy_control;
  std::string loss_agg_mode = "token-mean";
  double kl_loss_coef = 0.0;  // 0: no KL in the loss
  std::string kl_loss_type = "k3";
  bool entropy_at_unit_temperature = true;  // measured, where sampling has another temperature
  OptimizerConfig optim;
  void describe(config::Visitor& v);
  // Whether the loss has a term; without one only weight decay moves the policy.
  bool has_loss() const {
    return pg_loss_coeff != 0 || kl_loss_coef != 0 || !entropy_control.has("none");
  }
};

class Learner {
 public:
  // `reference` may be null when kl_loss_coef is 0; score() uses it where it is given.
  // `sampling_temperature`: log-probs and entropy are at it too, unless the configuration gives
  // another. `total_updates`: for the learning-rate schedule. `max_response_length`: for
  // seq-mean-token-sum-norm.
  Learner(LearnerConfig config, Model& policy, const Model* reference, Communicator& comm,
          double sampling_temperature, uint64_t seed, int64_t total_updates,
          int64_t max_response_length);

  // Fills old_logprob, old_entropy, sampling_logprob (where the temperatures differ), unit_entropy
  // (if configured) and (with a reference) ref_logprob of the whole batch on every rank.
  void score(Batch& batch);

  // All updates of a rollout step. Metrics averaged over the updates: actor/{loss, pg_loss,
  // kl_loss} as loss_agg_mode reduces them (kl_loss with kl_loss_coef only; loss is what is
  // minimised; pg_loss is before coefficient and entropy control), actor/{entropy, ppo_kl,
  // pg_clipfrac, pg_clipfrac_lower} per loss token, actor/{grad_norm, lr}; and actor/{num_updates,
  // num_skipped_updates}, what entropy_metrics.h and entropy control report. Without a term in the
  // loss there is no backward pass: updates are weight decay alone. A non-finite loss or gradient
  // throws Error(kRuntime) on every rank before the step.
  Metrics update(const Batch& batch);

  // Of the last update of the last rollout step: the most covariant tokens that each control
  // selected, at most kNumShownTokens; entries are the batch's.
  static constexpr int64_t kNumShownTokens = 20;
  const std::vector<SelectedToken>& selected_tokens() const { return selected_tokens_; }

  Optimizer& optimizer() { return optimizer_; }
  // What adaptive coefficients have reached, for checkpoints.
  std::map<std::string, double> controllers() const { return controls_.state(); }
  void load_controllers(const std::map<std::string, double>& state) { controls_.load_state(state); }

 private:
  using Sums = std::array<double, kNumObjectiveSums>;

  struct StepResult {
    Sums means{};
    double grad_norm = 0, lr = 0;
  };

  // At which score() takes log-probs and entropies: first that of the learner.
  std::vector<double> scored_temperatures() const;
  // The mini-batch as controls see it. `weights_moved`: the policy has been updated since score().
  ControlView view(const Batch& batch, const MiniBatch& mini_batch, bool weights_moved);
  // On the policy's device, where nothing waits for it.
  std::vector<at::Tensor> select(const Batch& batch, const MiniBatch& mini_batch,
                                 bool weights_moved);
  void show_selected_tokens();
  at::Tensor backward(const Batch& batch, const MiniBatch& mini_batch, const Piece& piece,
                      const std::vector<at::Tensor>& selected);
  void check_finite(const Sums& sums) const;
  StepResult step(const Batch& batch, const MiniBatch& mini_batch, bool weights_moved);
  // entropy_ctrl/{delta_same_states, delta_first_order} of the updates since score().
  void rescore(const Batch& batch, Metrics& metrics) const;
  // Clip ratios that never act, or a loss for on-policy data with several updates a rollout.
  void warn_if_loss_is_misplaced(int64_t updates_per_rollout, bool old_is_behaviour) const;
  void warn_if_kl_cov_is_inert(const Metrics& metrics) const;

  LearnerConfig config_;
  Model& policy_;
  const Model* reference_;
  Communicator& comm_;
  double sampling_temperature_;
  double temperature_;  // of log-probs, entropy and their gradients
  uint64_t seed_;
  int64_t total_updates_;
  int64_t max_response_length_;
  std::unique_ptr<PolicyLoss> loss_;
  ControlStack controls_;
  // Of the last update.
  struct Selections {
    ControlView seen;
    std::vector<at::Tensor> selected;  // one a control
    int64_t begin = 0;                 // of the mini-batch's entries
  } last_;
  std::vector<SelectedToken> selected_tokens_;
  GradientSum gradient_;
  Optimizer optimizer_;
};

}  // namespace covrl
