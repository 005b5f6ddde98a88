#include "rl/learner.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/log.h"
#include "rl/loss/kl.h"

namespace covrl {
namespace {

// Metric of each ObjectiveSum.
constexpr std::array<const char*, kNumObjectiveSums> kSumNames = {
    "actor/loss",   "actor/pg_loss",     "actor/kl_loss",          "actor/entropy",
    "actor/ppo_kl", "actor/pg_clipfrac", "actor/pg_clipfrac_lower"};

// A micro-batch as the model takes it, and where its loss tokens are.
struct Piece {
  PackedTokens packed;
  at::Tensor entries;            // int64 [n]: the loss tokens' entries in the batch
  at::Tensor rows;               // int64 [n]: the same entries in `packed`
  std::vector<int64_t> offsets;  // of each sequence's loss tokens among the n
  at::Tensor targets;            // int64 [n]: the tokens to be predicted
};

int64_t num_loss_tokens(const Batch& batch, int64_t sequence) {
  const size_t n = static_cast<size_t>(sequence);
  const bool* mask = batch.loss_mask_T.const_data_ptr<bool>();
  return std::count(mask + batch.cu_seqlens[n], mask + batch.cu_seqlens[n + 1], true);
}

Piece make_piece(const Batch& batch, const MicroBatch& micro_batch) {
  const bool* mask = batch.loss_mask_T.const_data_ptr<bool>();
  std::vector<int64_t> entries, rows;
  std::vector<at::Tensor> tokens, positions;
  Piece piece{.packed = {}, .entries = {}, .rows = {}, .offsets = {0}, .targets = {}};
  piece.packed.cu_seqlens = {0};
  for (int64_t sequence : micro_batch.sequences) {
    const size_t n = static_cast<size_t>(sequence);
    const int64_t begin = batch.cu_seqlens[n];
    const int64_t length = batch.cu_seqlens[n + 1] - begin;
    tokens.push_back(batch.tokens_T.narrow(0, begin, length));
    positions.push_back(batch.positions_T.narrow(0, begin, length));
    for (int64_t t = 0; t < length; ++t) {
      if (!mask[begin + t]) continue;
      entries.push_back(begin + t);
      rows.push_back(piece.packed.cu_seqlens.back() + t);
    }
    piece.packed.cu_seqlens.push_back(piece.packed.cu_seqlens.back() + length);
    piece.offsets.push_back(static_cast<int64_t>(entries.size()));
  }
  piece.packed.tokens_T = at::cat(tokens);
  piece.packed.positions_T = at::cat(positions);
  piece.entries = at::tensor(entries, at::kLong);
  piece.rows = at::tensor(rows, at::kLong);
  piece.targets = batch.tokens_T.index_select(0, piece.entries + 1);
  return piece;
}

PackedScores forward(const Model& model, const Piece& piece, double temperature) {
  return score_rows(model, piece.packed, piece.rows, piece.targets, temperature);
}

std::vector<std::vector<std::byte>> all_gather(Communicator& comm, const at::Tensor& values) {
  const at::Tensor contiguous = values.contiguous();
  return comm.all_gather(
      {static_cast<const std::byte*>(contiguous.const_data_ptr()), contiguous.nbytes()});
}

// The values that a rank gave, in its order.
at::Tensor received(const std::vector<std::byte>& bytes, at::ScalarType dtype) {
  const int64_t count = static_cast<int64_t>(bytes.size() / at::elementSize(dtype));
  at::Tensor values = at::empty({count}, dtype);
  if (count > 0) std::memcpy(values.mutable_data_ptr(), bytes.data(), bytes.size());
  return values;
}

}  // namespace

void LearnerConfig::describe(config::Visitor& v) {
  v.field("pg_loss_coeff", pg_loss_coeff,
          "Weight of the policy loss; 0 leaves entropy control and KL alone.", {0, 1e3});
  v.section("policy_loss", policy_loss, "The policy loss.");
  v.section("entropy_control", entropy_control, "What keeps the policy exploring.");
  v.word("loss_agg_mode", loss_agg_mode,
         "How token losses become one number, counted over the whole mini-batch.",
         reduction_names());
  v.field("kl_loss_coef", kl_loss_coef,
          "Weight of KL(policy || reference) in the loss. 0: no reference model is held.",
          {0, 1e3});
  v.word("kl_loss_type", kl_loss_type,
         "Estimator of the KL; kl, mse and low_var_kl are other names of k1, k2 and k3.",
         kl_names());
  v.field(
      "ppo_mini_batch_size", ppo_mini_batch_size,
      "Prompts (whole groups) per optimizer update. 0: the whole batch, one update per rollout.",
      {0, 1e9});
  v.field("ppo_epochs", ppo_epochs, "Passes over each rollout batch.", {1, 1000});
  v.field("ppo_max_tokens", ppo_max_tokens,
          "Tokens per micro-batch: memory only, the result does not depend on it.", {1, 1e9});
  v.section("optim", optim, "The optimizer.");
  v.check(kl_loss_coef > 0 || kl_loss_type == LearnerConfig().kl_loss_type, "kl_loss_type",
          "has no effect with kl_loss_coef 0; give kl_loss_coef a value, or remove the key");
  v.check(pg_loss_coeff > 0 || policy_loss == PolicyLossConfig(), "policy_loss",
          "has no effect with pg_loss_coeff 0; give pg_loss_coeff a value, or remove the section");
  v.check(pg_loss_coeff > 0 || kl_loss_coef > 0 || entropy_control.kind != "none" ||
              optim.weight_decay > 0,
          "pg_loss_coeff",
          "is 0 and so are kl_loss_coef, entropy control and weight decay: nothing would change "
          "the policy; set one of them");
}

Learner::Learner(LearnerConfig config, Model& policy, const Model* reference, Communicator& comm,
                 double temperature, uint64_t seed, int64_t total_updates,
                 int64_t max_response_length)
    : config_(std::move(config)),
      policy_(policy),
      reference_(reference),
      comm_(comm),
      temperature_(temperature),
      seed_(seed),
      total_updates_(total_updates),
      max_response_length_(max_response_length),
      loss_(make_policy_loss(config_.policy_loss)),
      control_(make_entropy_control(config_.entropy_control)),
      gradient_(policy.parameters()),
      optimizer_(config_.optim, policy.parameters()) {
  COVRL_CHECK((config_.kl_loss_coef != 0) == (reference_ != nullptr),
              "a reference model is held exactly for a KL term");
  policy_.set_requires_grad(true);
}

void Learner::score(Batch& batch) {
  const at::NoGradGuard no_grad;
  std::vector<int64_t> sequences;
  for (int64_t n = 0; n < batch.num_sequences(); ++n)
    if (num_loss_tokens(batch, n) > 0) sequences.push_back(n);
  const std::vector<MicroBatch> plan = plan_micro_batches(batch, sequences, config_.ppo_max_tokens);
  const std::vector<std::vector<int64_t>> hands = deal_micro_batches(plan, comm_.size());

  const int64_t num_columns = reference_ != nullptr ? 3 : 2;
  std::vector<at::Tensor> own = {at::empty({0}, at::kFloat)};
  for (int64_t index : hands[static_cast<size_t>(comm_.rank())]) {
    const Piece piece = make_piece(batch, plan[static_cast<size_t>(index)]);
    const PackedScores scored = forward(policy_, piece, temperature_);
    own.push_back(scored.logprob_T);
    own.push_back(scored.entropy_T);
    if (reference_ != nullptr) own.push_back(forward(*reference_, piece, temperature_).logprob_T);
  }

  at::Tensor columns = at::zeros({num_columns, batch.num_tokens()}, at::kFloat);
  const std::vector<std::vector<std::byte>> gathered = all_gather(comm_, at::cat(own));
  for (size_t r = 0; r < hands.size(); ++r) {
    const at::Tensor values = received(gathered[r], at::kFloat);
    int64_t offset = 0;
    for (int64_t index : hands[r]) {
      const at::Tensor entries = make_piece(batch, plan[static_cast<size_t>(index)]).entries;
      const int64_t count = num_columns * entries.numel();
      columns.index_copy_(1, entries, values.narrow(0, offset, count).view({num_columns, -1}));
      offset += count;
    }
  }
  batch.old_logprob_T.set(columns[0]);
  batch.old_entropy_T.set(columns[1]);
  if (reference_ != nullptr) batch.ref_logprob_T.set(columns[2]);
}

std::vector<Learner::MiniBatch> Learner::mini_batches(const Batch& batch) const {
  std::vector<MiniBatch> result;
  int64_t num_groups = 0;
  for (int64_t n = 0; n < batch.num_sequences(); ++n) {
    const size_t index = static_cast<size_t>(n);
    if (n == 0 || batch.sequence_ids[index].slot != batch.sequence_ids[index - 1].slot) {
      const bool full =
          config_.ppo_mini_batch_size > 0 && num_groups % config_.ppo_mini_batch_size == 0;
      if (n == 0 || full)
        result.push_back({n, n, {}, {0, 0, static_cast<double>(max_response_length_)}});
      ++num_groups;
    }
    MiniBatch& mini_batch = result.back();
    mini_batch.last = n + 1;
    const int64_t length = num_loss_tokens(batch, n);
    if (length == 0) continue;
    mini_batch.sequences.push_back(n);
    mini_batch.counts.num_tokens += static_cast<double>(length);
    mini_batch.counts.num_sequences += 1;
  }
  return result;
}

Selection Learner::select(const Batch& batch, const MiniBatch& mini_batch) {
  const int64_t begin = batch.cu_seqlens[static_cast<size_t>(mini_batch.first)];
  const int64_t length = batch.cu_seqlens[static_cast<size_t>(mini_batch.last)] - begin;
  const auto part = [&](const at::Tensor& values) { return values.narrow(0, begin, length); };
  ControlView view;
  view.logprob_T = view.old_logprob_T = part(batch.old_logprob_T.get());
  view.advantage_T = part(batch.advantage_T);
  view.entropy_T = part(batch.old_entropy_T.get());
  view.mask_T = part(batch.loss_mask_T);
  view.token_id_T = part(batch.token_ids_T());
  view.seed = seed_;
  view.step = static_cast<uint64_t>(optimizer_.num_steps());
  return control_->select(view);
}

at::Tensor Learner::backward(const Batch& batch, const MiniBatch& mini_batch,
                             const MicroBatch& micro_batch, const Selection& selection) {
  const Piece piece = make_piece(batch, micro_batch);
  const auto part = [&piece](const at::Tensor& values) {
    return values.index_select(0, piece.entries);
  };
  const PackedScores scored = forward(policy_, piece, temperature_);
  ObjectiveInput input;
  input.policy = {scored.logprob_T, part(batch.old_logprob_T.get()), part(batch.advantage_T),
                  part(batch.loss_mask_T)};
  input.entropy_T = scored.entropy_T;
  if (reference_ != nullptr) input.ref_logprob_T = part(batch.ref_logprob_T.get());
  input.weight_T = reduction_weights(config_.loss_agg_mode, input.policy.mask_T, piece.offsets,
                                     mini_batch.counts);
  if (selection.selected_T.defined()) {
    const int64_t begin = batch.cu_seqlens[static_cast<size_t>(mini_batch.first)];
    input.selected_T = selection.selected_T.index_select(0, piece.entries - begin);
  }
  const ObjectiveValue value =
      objective({config_.pg_loss_coeff, config_.kl_loss_coef, config_.kl_loss_type}, *loss_,
                *control_, input);
  if (value.loss.requires_grad()) value.loss.backward();
  gradient_.add_and_clear_grads();
  return value.sums;
}

Learner::Sums Learner::gather_sums(const std::vector<at::Tensor>& own,
                                   const std::vector<std::vector<int64_t>>& hands) const {
  const at::Tensor mine = own.empty() ? at::empty({0}, at::kDouble) : at::stack(own);
  const std::vector<std::vector<std::byte>> gathered = all_gather(comm_, mine);
  std::vector<std::pair<int64_t, Sums>> parts;  // of every micro-batch
  for (size_t r = 0; r < hands.size(); ++r)
    for (size_t i = 0; i < hands[r].size(); ++i) {
      parts.emplace_back(hands[r][i], Sums{});
      std::memcpy(parts.back().second.data(), gathered[r].data() + i * sizeof(Sums), sizeof(Sums));
    }
  std::sort(parts.begin(), parts.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  Sums sums{};
  for (const auto& [index, part] : parts)
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += part[i];
  return sums;
}

Learner::Sums Learner::accumulate(const Batch& batch, const MiniBatch& mini_batch,
                                  const Selection& selection) {
  const at::AutoGradMode with_gradient(true);
  const std::vector<MicroBatch> plan =
      plan_micro_batches(batch, mini_batch.sequences, config_.ppo_max_tokens);
  const std::vector<std::vector<int64_t>> hands = deal_micro_batches(plan, comm_.size());
  gradient_.clear();
  std::vector<at::Tensor> own;
  for (int64_t index : hands[static_cast<size_t>(comm_.rank())])
    own.push_back(backward(batch, mini_batch, plan[static_cast<size_t>(index)], selection));
  return gather_sums(own, hands);
}

void Learner::check_finite(const Sums& sums) const {
  for (size_t i = 0; i < sums.size(); ++i)
    if (!std::isfinite(sums[i]))
      throw_runtime(kSumNames[i], " is ", sums[i], " in optimizer update ",
                    optimizer_.num_steps() + 1, "; nothing was stepped");
}

Learner::StepResult Learner::step(const Batch& batch, const MiniBatch& mini_batch) {
  StepResult result;
  result.means = accumulate(batch, mini_batch, select(batch, mini_batch));
  check_finite(result.means);
  gradient_.all_reduce(comm_);
  result.grad_norm = gradient_.norm();
  result.lr = optimizer_.step(gradient_.flat(), result.grad_norm, total_updates_);
  for (size_t i = static_cast<size_t>(ObjectiveSum::kEntropy); i < result.means.size(); ++i)
    result.means[i] /= mini_batch.counts.num_tokens;
  return result;
}

Metrics Learner::update(const Batch& batch) {
  const std::vector<MiniBatch> parts = mini_batches(batch);
  warn_if_clip_is_inert(static_cast<int64_t>(parts.size()) * config_.ppo_epochs);
  std::vector<StepResult> results;
  int64_t num_skipped = 0;
  for (int64_t epoch = 0; epoch < config_.ppo_epochs; ++epoch)
    for (const MiniBatch& mini_batch : parts) {
      if (mini_batch.counts.num_tokens > 0)
        results.push_back(step(batch, mini_batch));
      else
        ++num_skipped;
    }

  Metrics metrics;
  const auto average = [&](const char* name, auto value) {
    double sum = 0;
    for (const StepResult& result : results) sum += value(result);
    if (!results.empty()) metrics.set(name, sum / static_cast<double>(results.size()));
  };
  for (size_t i = 0; i < kNumObjectiveSums; ++i)
    if (i != static_cast<size_t>(ObjectiveSum::kKlLoss) || reference_ != nullptr)
      average(kSumNames[i], [i](const StepResult& result) { return result.means[i]; });
  average("actor/grad_norm", [](const StepResult& result) { return result.grad_norm; });
  average("actor/lr", [](const StepResult& result) { return result.lr; });
  metrics.set("actor/num_updates", static_cast<double>(results.size()));
  metrics.set("actor/num_skipped_updates", static_cast<double>(num_skipped));
  control_->report(metrics);
  return metrics;
}

void Learner::warn_if_clip_is_inert(int64_t updates_per_rollout) const {
  if (comm_.is_root() && updates_per_rollout == 1 && config_.policy_loss != PolicyLossConfig())
    log::warning(
        "policy_loss: one update per rollout keeps the ratio at exactly 1, so that the clip ratios "
        "never act; a smaller "
        "ppo_mini_batch_size, or more ppo_epochs, makes more updates");
}

}  // namespace covrl
