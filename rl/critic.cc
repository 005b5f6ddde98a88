#include "rl/critic.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <cmath>

#include "core/error.h"
#include "rl/loss/reduction.h"
#include "rl/loss/value_loss.h"
#include "rl/summary.h"

namespace covrl {
namespace {

void add_value_metrics(const Batch& batch, Metrics& metrics) {
  Summary values;
  const at::Tensor inside = batch.value_T.get().masked_select(batch.loss_mask_T);
  const float* data = inside.const_data_ptr<float>();
  for (int64_t i = 0; i < inside.numel(); ++i) values.add(data[i]);
  values.write("critic/values", metrics);
  metrics.set("critic/vf_explained_var", explained_variance(batch));
}

}  // namespace

void CriticConfig::describe(config::Visitor& v) {
  v.field("cliprange_value", cliprange_value,
          "How far a value may move from that at the start of the step before its gradient stops. "
          "0: no clip.",
          {0, 1e9});
  v.word("loss_agg_mode", loss_agg_mode,
         "How token losses become one number, counted over the whole mini-batch.",
         reduction_names());
  describe_updates(v);
  v.section("optim", optim, "The optimizer.");
}

Critic::Critic(CriticConfig config, const Model& start, Communicator& comm, int64_t total_updates,
               int64_t max_response_length)
    : config_(std::move(config)),
      comm_(comm),
      total_updates_(total_updates),
      max_response_length_(max_response_length),
      model_(start),
      gradient_(model_.parameters()),
      optimizer_(config_.optim, model_.parameters()) {
  model_.set_requires_grad(true);
}

void Critic::fill_values(Batch& batch) const {
  RECORD_USER_SCOPE("values");
  const at::NoGradGuard no_grad;
  const SharedPass pass(batch, learning_sequences(batch), config_.ppo_max_tokens, comm_);
  batch.value_T.set(pass.columns(
      1, [&](const Piece& piece) { return model_.values(piece.packed, piece.rows); })[0]);
}

at::Tensor Critic::backward(const Batch& batch, const MiniBatch& mini_batch, const Piece& piece) {
  const at::Tensor mask_T = piece.part(batch.loss_mask_T);
  const ValueLossTerms terms =
      value_loss({model_.values(piece.packed, piece.rows), piece.part(batch.value_T.get()),
                  piece.part(batch.return_T.get()), mask_T},
                 config_.cliprange_value);
  const at::Tensor weight_T =
      reduction_weights(config_.loss_agg_mode, mask_T, piece.offsets, mini_batch.counts);
  const at::Tensor loss = reduce(terms.loss_T, weight_T);
  loss.backward();
  gradient_.add_and_clear_grads();
  return at::stack({loss.detach(), (terms.clipped_T & mask_T).sum().to(at::kDouble)});
}

Critic::StepResult Critic::step(const Batch& batch, const MiniBatch& mini_batch) {
  gradient_.clear();
  StepResult result;
  {
    const at::AutoGradMode with_gradient(true);
    const SharedPass pass(batch, mini_batch.sequences, config_.ppo_max_tokens, comm_);
    const std::vector<double> sums =
        pass.sums(2, [&](const Piece& piece) { return backward(batch, mini_batch, piece); });
    result.loss = sums[0];
    result.clip_fraction = sums[1] / mini_batch.counts.num_tokens;
  }
  if (!std::isfinite(result.loss))
    throw_runtime("critic/vf_loss is ", result.loss, " in optimizer update ",
                  optimizer_.num_steps() + 1, " of the critic; nothing was stepped");
  gradient_.all_reduce(comm_);
  result.grad_norm = gradient_.norm();
  result.lr = optimizer_.step(gradient_.flat(), result.grad_norm, total_updates_);
  return result;
}

Metrics Critic::update(const Batch& batch) {
  RECORD_USER_SCOPE("learn values");
  std::vector<StepResult> results;
  const std::vector<MiniBatch> parts = split_mini_batches(
      batch, config_.ppo_mini_batch_size, config_.ppo_mini_batch_unit, max_response_length_);
  for (int64_t epoch = 0; epoch < config_.ppo_epochs; ++epoch)
    for (const MiniBatch& mini_batch : parts)
      if (mini_batch.counts.num_tokens > 0) results.push_back(step(batch, mini_batch));

  Metrics metrics;
  const auto average = [&](const char* name, double StepResult::*value) {
    double sum = 0;
    for (const StepResult& result : results) sum += result.*value;
    if (!results.empty()) metrics.set(name, sum / static_cast<double>(results.size()));
  };
  average("critic/vf_loss", &StepResult::loss);
  average("critic/vf_clipfrac", &StepResult::clip_fraction);
  average("critic/grad_norm", &StepResult::grad_norm);
  average("critic/lr", &StepResult::lr);
  add_value_metrics(batch, metrics);
  return metrics;
}

double explained_variance(const Batch& batch) {
  constexpr double kEpsilon = 1e-5;
  const auto inside = [&](const at::Tensor& values_T) {
    return values_T.masked_select(batch.loss_mask_T).to(at::kDouble);
  };
  const at::Tensor returns = inside(batch.return_T.get()), values = inside(batch.value_T.get());
  if (returns.numel() < 2) return 0;
  return 1 - (returns - values).var().item<double>() / (returns.var().item<double>() + kEpsilon);
}

}  // namespace covrl
