#include "rl/learner.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "entropy/dynamics.h"
#include "kernels/token_logprob.h"
#include "rl/entropy_metrics.h"
#include "rl/loss/kl.h"
#include "rl/loss/reduction.h"

namespace covrl {
namespace {

// Metric of each ObjectiveSum.
constexpr std::array<const char*, kNumObjectiveSums> kSumNames = {
    "actor/loss",   "actor/pg_loss",     "actor/kl_loss",          "actor/entropy",
    "actor/ppo_kl", "actor/pg_clipfrac", "actor/pg_clipfrac_lower"};

// On the model's device.
PackedScores forward(const Model& model, const Piece& piece, double temperature) {
  return score_rows(model, piece.packed, piece.rows, piece.targets, temperature);
}
PackedScores forward_to_host(const Model& model, const Piece& piece, double temperature) {
  const PackedScores scored = forward(model, piece, temperature);
  return {scored.logprob_T.cpu(), scored.entropy_T.cpu()};
}

// Log-probs and entropies [2,T] of the policy as it is.
at::Tensor current_scores(const SharedPass& pass, const Model& policy, double temperature) {
  return pass.columns(2, [&](const Piece& piece) {
    const PackedScores scored = forward_to_host(policy, piece, temperature);
    return at::stack({scored.logprob_T, scored.entropy_T});
  });
}

// Log-prob and entropy at each temperature: the output head once for each, the layers once.
std::vector<at::Tensor> forward_at(const Model& model, const Piece& piece,
                                   const std::vector<double>& temperatures) {
  const at::Device device = model.device();
  const at::Tensor hidden = model.hidden(piece.packed).index_select(0, piece.rows.to(device)),
                   targets = piece.targets.to(device);
  std::vector<at::Tensor> values;
  for (const double temperature : temperatures) {
    const kernels::TokenLogprob scored =
        kernels::token_logprob(hidden, model.head(), targets, temperature);
    values.push_back(scored.logprob_T.cpu());
    values.push_back(scored.entropy_T.cpu());
  }
  return values;
}

void check_entropy_control(config::Visitor& v, const LearnerConfig& config) {
  v.check(config.pg_loss_coeff > 0 || !(config.entropy_control.has("clip_cov") ||
                                        config.entropy_control.has("top_entropy")),
          "entropy_control.kind",
          "clip_cov and top_entropy only choose what the policy loss learns from, which "
          "pg_loss_coeff 0 leaves out; give pg_loss_coeff a value, or choose another control");
  v.check(!config.entropy_control.has("kl_cov") || config.policy_loss.kind != "clip" ||
              config.entropy_control.kl_cov_with_clip,
          "policy_loss.kind",
          "is clip, but KL-Cov is published over the unclipped loss: the clip would already stop "
          "the tokens that it holds back; set policy_loss.kind: unclipped, or "
          "entropy_control.kl_cov_with_clip: true to combine them");
  v.check(config.policy_loss.kind == "clip" || !config.entropy_control.kl_cov_with_clip,
          "entropy_control.kl_cov_with_clip",
          "has no effect unless policy_loss.kind is clip; remove the key");
}

}  // namespace

void LearnerConfig::describe(config::Visitor& v) {
  v.field("pg_loss_coeff", pg_loss_coeff,
          "Weight of the policy loss; 0 leaves entropy control and KL alone.", {0, 1e3});
  v.field("logprob_temperature", logprob_temperature,
          "Temperature of the learner's log-probs, entropy and their gradients, of reference and "
          "ratio alike; null: rollout.temperature. Where they differ the old log-probs are the "
          "learner's own at this temperature, and the check against the sampler is at the other.",
          {1e-3, 100});
  v.section("policy_loss", policy_loss, "The policy loss.");
  v.section("entropy_control", entropy_control, "What keeps the policy exploring.");
  v.word("loss_agg_mode", loss_agg_mode,
         "How token losses become one number, counted over the whole mini-batch.",
         reduction_names());
  v.field("kl_loss_coef", kl_loss_coef,
          "Weight of KL(policy || reference) in the loss. 0: none, and no reference model is held "
          "for it.",
          {0, 1e3});
  v.word("kl_loss_type", kl_loss_type,
         "Estimator of the KL; kl, mse and low_var_kl are other names of k1, k2 and k3. With + the "
         "value of that form and the gradient of k2.",
         kl_names());
  describe_updates(v);
  v.field("entropy_at_unit_temperature", entropy_at_unit_temperature,
          "Measure the entropy at temperature 1 too (actor/entropy_unit_temperature). Where no "
          "other log-prob is at 1 it costs one more pass through the output head per step.");
  v.section("optim", optim, "The optimizer.");
  v.check(kl_loss_coef > 0 || kl_loss_type == LearnerConfig().kl_loss_type, "kl_loss_type",
          "has no effect with kl_loss_coef 0; give kl_loss_coef a value, or remove the key");
  v.check(pg_loss_coeff > 0 || policy_loss == PolicyLossConfig(), "policy_loss",
          "has no effect with pg_loss_coeff 0; give pg_loss_coeff a value, or remove the section");
  v.check(!policy_loss.traits().of_sequence || loss_agg_mode == "seq-mean-token-mean",
          "loss_agg_mode",
          concat("is ", loss_agg_mode, ", but policy_loss.kind ", policy_loss.kind,
                 " is defined as a mean over sequences; set loss_agg_mode: seq-mean-token-mean"));
  check_entropy_control(v, *this);
}

Learner::Learner(LearnerConfig config, Model& policy, const Model* reference, Communicator& comm,
                 double sampling_temperature, uint64_t seed, int64_t total_updates,
                 int64_t max_response_length)
    : config_(std::move(config)),
      policy_(policy),
      reference_(reference),
      comm_(comm),
      sampling_temperature_(sampling_temperature),
      temperature_(config_.logprob_temperature.value_or(sampling_temperature)),
      seed_(seed),
      total_updates_(total_updates),
      max_response_length_(max_response_length),
      loss_(make_policy_loss(config_.policy_loss)),
      controls_(config_.entropy_control),
      gradient_(policy.parameters()),
      optimizer_(config_.optim, policy.parameters()) {
  COVRL_CHECK(config_.kl_loss_coef == 0 || reference_ != nullptr,
              "a KL term without a reference model");
  policy_.set_requires_grad(true);
}

void Learner::score(Batch& batch) {
  RECORD_USER_SCOPE("score");
  const at::NoGradGuard no_grad;
  const std::vector<double> temperatures = scored_temperatures();
  const int64_t num_policy = 2 * static_cast<int64_t>(temperatures.size());
  const int64_t num_columns = num_policy + (reference_ != nullptr ? 1 : 0);
  const SharedPass pass(batch, learning_sequences(batch), config_.ppo_max_tokens, comm_);
  const at::Tensor columns = pass.columns(num_columns, [&](const Piece& piece) {
    std::vector<at::Tensor> values = forward_at(policy_, piece, temperatures);
    if (reference_ != nullptr)
      values.push_back(forward_to_host(*reference_, piece, temperature_).logprob_T);
    return at::stack(values);
  });
  // The column of log-probs at a temperature; that of entropies follows.
  const auto column_at = [&](double temperature) {
    return 2 * (std::find(temperatures.begin(), temperatures.end(), temperature) -
                temperatures.begin());
  };
  batch.old_logprob_T.set(columns[0]);
  batch.old_entropy_T.set(columns[1]);
  if (sampling_temperature_ != temperature_)
    batch.sampling_logprob_T.set(columns[column_at(sampling_temperature_)]);
  if (config_.entropy_at_unit_temperature) batch.unit_entropy_T.set(columns[column_at(1) + 1]);
  if (reference_ != nullptr) batch.ref_logprob_T.set(columns[num_policy]);
}

std::vector<double> Learner::scored_temperatures() const {
  std::vector<double> temperatures = {temperature_};
  if (sampling_temperature_ != temperature_) temperatures.push_back(sampling_temperature_);
  if (config_.entropy_at_unit_temperature &&
      std::find(temperatures.begin(), temperatures.end(), 1.0) == temperatures.end())
    temperatures.push_back(1);
  return temperatures;
}

ControlView Learner::view(const Batch& batch, const MiniBatch& mini_batch, bool weights_moved) {
  const SharedPass pass(batch, mini_batch.sequences, config_.ppo_max_tokens, comm_);
  at::Tensor logprob_T = batch.old_logprob_T.get(), entropy_T = batch.old_entropy_T.get();
  if ((weights_moved || batch.old_is_behaviour) && controls_.wants_current()) {
    const at::Tensor current = current_scores(pass, policy_, temperature_);
    logprob_T = current[0];
    entropy_T = current[1];
  }
  const int64_t begin = mini_batch.begin(batch), length = mini_batch.end(batch) - begin;
  const auto part = [&](const at::Tensor& values) { return values.narrow(0, begin, length); };
  ControlView view;
  view.logprob_T = part(logprob_T);
  view.old_logprob_T = part(batch.old_logprob_T.get());
  view.advantage_T = part(batch.advantage_T.get());
  view.entropy_T = part(entropy_T);
  view.mask_T = part(batch.loss_mask_T);
  view.token_ids = batch.token_ids(mini_batch.first, mini_batch.last);
  view.micro_batch_T = part(pass.micro_batch_T());
  view.seed = seed_;
  view.step = static_cast<uint64_t>(optimizer_.num_steps());
  view.device = policy_.device();
  LossInput loss_input{view.logprob_T, view.old_logprob_T, view.advantage_T, view.mask_T, {}};
  for (int64_t n = mini_batch.first; n <= mini_batch.last; ++n)
    loss_input.offsets.push_back(batch.cu_seqlens[static_cast<size_t>(n)] - begin);
  view.clipped_T = loss_->terms(loss_input).clipped_T & view.mask_T;
  return view;
}

std::vector<at::Tensor> Learner::select(const Batch& batch, const MiniBatch& mini_batch,
                                        bool weights_moved) {
  if (!controls_.selects()) return {};
  const at::NoGradGuard no_grad;
  last_.seen = view(batch, mini_batch, weights_moved);
  last_.begin = mini_batch.begin(batch);
  last_.selected = controls_.select(last_.seen);
  for (at::Tensor& one : last_.selected)
    if (one.defined()) one = one.to(policy_.device());
  return last_.selected;
}

void Learner::show_selected_tokens() {
  selected_tokens_.clear();
  for (const at::Tensor& one : last_.selected) {
    if (!one.defined()) continue;
    for (SelectedToken token : most_covariant(last_.seen, one, kNumShownTokens)) {
      token.entry += last_.begin;
      selected_tokens_.push_back(token);
    }
  }
  last_ = {};
}

at::Tensor Learner::backward(const Batch& batch, const MiniBatch& mini_batch, const Piece& piece,
                             const std::vector<at::Tensor>& selected) {
  // The columns go to the model's device before its work is enqueued: a copy waits for that. Loss
  // and gradient then follow the forward pass without the host.
  const at::Device device = policy_.device();
  const auto column = [&](const at::Tensor& values_T) { return piece.part(values_T).to(device); };
  ObjectiveInput input;
  if (reference_ != nullptr) input.ref_logprob_T = column(batch.ref_logprob_T.get());
  if (batch.rollout_weight_T.filled())
    input.rollout_weight_T = column(batch.rollout_weight_T.get());
  input.weight_T = reduction_weights(config_.loss_agg_mode, piece.part(batch.loss_mask_T),
                                     piece.offsets, mini_batch.counts)
                       .to(device);
  const at::Tensor places = (piece.entries - mini_batch.begin(batch)).to(device);
  for (const at::Tensor& one : selected)
    input.selected.push_back(one.defined() ? one.index_select(0, places) : one);
  input.policy = {{},
                  column(batch.old_logprob_T.get()),
                  column(batch.advantage_T.get()),
                  column(batch.loss_mask_T),
                  piece.offsets};
  const PackedScores scored = forward(policy_, piece, temperature_);
  input.policy.logprob_T = scored.logprob_T;
  input.entropy_T = scored.entropy_T;
  const ObjectiveValue value =
      objective({config_.pg_loss_coeff, config_.kl_loss_coef, config_.kl_loss_type}, *loss_,
                controls_, input);
  if (value.loss.requires_grad()) value.loss.backward();
  gradient_.add_and_clear_grads();
  return value.sums;
}

void Learner::check_finite(const Sums& sums) const {
  for (size_t i = 0; i < sums.size(); ++i)
    if (!std::isfinite(sums[i]))
      throw_runtime(kSumNames[i], " is ", sums[i], " in optimizer update ",
                    optimizer_.num_steps() + 1, "; nothing was stepped");
}

Learner::StepResult Learner::step(const Batch& batch, const MiniBatch& mini_batch,
                                  bool weights_moved) {
  const std::vector<at::Tensor> selected = select(batch, mini_batch, weights_moved);
  gradient_.clear();
  StepResult result;
  {
    const at::AutoGradMode with_gradient(config_.has_loss());
    const SharedPass pass(batch, mini_batch.sequences, config_.ppo_max_tokens, comm_);
    const std::vector<double> sums = pass.sums(kNumObjectiveSums, [&](const Piece& piece) {
      return backward(batch, mini_batch, piece, selected);
    });
    std::copy(sums.begin(), sums.end(), result.means.begin());
  }
  check_finite(result.means);
  gradient_.all_reduce(comm_);
  result.grad_norm = gradient_.norm();
  result.lr = optimizer_.step(gradient_.flat(), result.grad_norm, total_updates_);
  for (size_t i = static_cast<size_t>(ObjectiveSum::kEntropy); i < result.means.size(); ++i)
    result.means[i] /= mini_batch.counts.num_tokens;
  return result;
}

void Learner::rescore(const Batch& batch, Metrics& metrics) const {
  const at::NoGradGuard no_grad;
  const SharedPass pass(batch, learning_sequences(batch), config_.ppo_max_tokens, comm_);
  const at::Tensor current = current_scores(pass, policy_, temperature_);
  const SameStatesChange change =
      same_states_change(batch.old_logprob_T.get(), batch.old_entropy_T.get(), current[0],
                         current[1], batch.loss_mask_T);
  metrics.set("entropy_ctrl/delta_same_states", change.measured);
  metrics.set("entropy_ctrl/delta_first_order", change.first_order);
}

Metrics Learner::update(const Batch& batch) {
  RECORD_USER_SCOPE("learn");
  const std::vector<MiniBatch> parts = split_mini_batches(
      batch, config_.ppo_mini_batch_size, config_.ppo_mini_batch_unit, max_response_length_);
  warn_if_loss_is_misplaced(static_cast<int64_t>(parts.size()) * config_.ppo_epochs,
                            batch.old_is_behaviour);
  Metrics metrics;
  add_entropy_metrics(batch, metrics);
  controls_.observe(token_mean(batch.old_entropy_T.get(), batch.loss_mask_T));
  std::vector<StepResult> results;
  int64_t num_skipped = 0;
  for (int64_t epoch = 0; epoch < config_.ppo_epochs; ++epoch)
    for (const MiniBatch& mini_batch : parts) {
      if (mini_batch.counts.num_tokens > 0)
        results.push_back(step(batch, mini_batch, /*weights_moved=*/!results.empty()));
      else
        ++num_skipped;
    }

  const auto average = [&](const char* name, auto value) {
    double sum = 0;
    for (const StepResult& result : results) sum += value(result);
    if (!results.empty()) metrics.set(name, sum / static_cast<double>(results.size()));
  };
  for (size_t i = 0; i < kNumObjectiveSums; ++i)
    if (i != static_cast<size_t>(ObjectiveSum::kKlLoss) || config_.kl_loss_coef != 0)
      average(kSumNames[i], [i](const StepResult& result) { return result.means[i]; });
  average("actor/grad_norm", [](const StepResult& result) { return result.grad_norm; });
  average("actor/lr", [](const StepResult& result) { return result.lr; });
  metrics.set("actor/num_updates", static_cast<double>(results.size()));
  metrics.set("actor/num_skipped_updates", static_cast<double>(num_skipped));
  controls_.report(metrics);
  show_selected_tokens();
  warn_if_kl_cov_is_inert(metrics);
  if (config_.entropy_control.rescore) rescore(batch, metrics);
  return metrics;
}

void Learner::warn_if_loss_is_misplaced(int64_t updates_per_rollout, bool old_is_behaviour) const {
  if (!comm_.is_root() || config_.pg_loss_coeff == 0) return;
  const PolicyLossTraits traits = config_.policy_loss.traits();
  const PolicyLossConfig untouched{.kind = config_.policy_loss.kind};
  if (traits.on_policy && updates_per_rollout > 1)
    log::warning(
        concat("policy_loss: kind ", config_.policy_loss.kind,
               " has no ratio that corrects for the updates since sampling, and there are ",
               updates_per_rollout,
               " updates per rollout; set ppo_mini_batch_size: 0 and ppo_epochs: 1, or "
               "choose a kind with a ratio (clip, cispo)"));
  if (!traits.on_policy && !old_is_behaviour && updates_per_rollout == 1 &&
      config_.policy_loss != untouched)
    log::warning(
        "policy_loss: one update per rollout keeps the ratio at exactly 1, so that the clip ratios "
        "never act; a smaller ppo_mini_batch_size, or more ppo_epochs, makes more updates");
}

void Learner::warn_if_kl_cov_is_inert(const Metrics& metrics) const {
  const double* inert = metrics.find("entropy_ctrl/inert");
  if (comm_.is_root() && inert != nullptr && *inert == 1 &&
      config_.entropy_control.kl_cov_penalty != "k1")
    log::warning(
        "entropy_control: KL-Cov is inert: every token it selects still has the log-prob it was "
        "sampled with, so that its penalty and the penalty's gradient are 0; it needs more than "
        "one update per rollout: a smaller ppo_mini_batch_size, or more ppo_epochs");
}

}  // namespace covrl
