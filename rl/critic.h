// The critic of PPO (algorithm.adv_estimator gae): a value function that starts from the actor's
// weights, with its own optimizer and mini-batches. Like the learner's, its values, loss and
// gradient do not depend on micro-batch size or rank count; with the same micro-batches the result
// has the same bits for any rank count.
//
// A rollout step calls fill_values, then (once the estimator has filled the returns) update.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/comm.h"
#include "core/config.h"
#include "core/metrics.h"
#include "policy/value_model.h"
#include "rl/batch.h"
#include "rl/batch_pass.h"
#include "rl/gradient_sum.h"
#include "rl/optimizer.h"
#include "rl/update_config.h"

namespace covrl {

struct CriticConfig : UpdateConfig {
  double cliprange_value = 0.5;  // 0: off
  std::string loss_agg_mode = "token-mean";
  OptimizerConfig optim{.lr = 1e-5};
  void describe(config::Visitor& v);
  bool operator==(const CriticConfig&) const = default;
};

class Critic {
 public:
  // `start`: the actor's starting weights, copied. `total_updates`: for the learning-rate schedule.
  // `max_response_length`: for seq-mean-token-sum-norm.
  Critic(CriticConfig config, const Model& start, Communicator& comm, int64_t total_updates,
         int64_t max_response_length);

  // Fills batch.value_T on every rank: at each loss token's entry the value of the state that the
  // token is sampled in; 0 elsewhere.
  void fill_values(Batch& batch) const;

  // All updates of a rollout step, towards batch.return_T. Metrics: critic/{vf_loss, vf_clipfrac,
  // grad_norm, lr} averaged over the updates; critic/vf_explained_var and
  // critic/values/{mean, max, min} of batch.value_T over the loss tokens. A non-finite loss or
  // gradient throws Error(kRuntime) on every rank before the step.
  Metrics update(const Batch& batch);

  ValueModel& model() { return model_; }
  Optimizer& optimizer() { return optimizer_; }

 private:
  struct StepResult {
    double loss = 0, clip_fraction = 0, grad_norm = 0, lr = 0;
  };
  at::Tensor backward(const Batch& batch, const MiniBatch& mini_batch, const Piece& piece);
  StepResult step(const Batch& batch, const MiniBatch& mini_batch);

  CriticConfig config_;
  Communicator& comm_;
  int64_t total_updates_;
  int64_t max_response_length_;
  ValueModel model_;
  GradientSum gradient_;
  Optimizer optimizer_;
};

// 1 - Var(R - V) / (Var(R) + 1e-5) over the loss tokens: 1 where the values foretell the returns,
// 0 where they are no better than a constant. verl's definition and its 1e-5, which keeps equal
// returns from dividing by 0; 0 with fewer than two tokens.
double explained_variance(const Batch& batch);

}  // namespace covrl
