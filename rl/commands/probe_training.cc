#include <ATen/Functions.h>

#include <cmath>
#include <filesystem>

#include "core/error.h"
#include "policy/safetensors.h"
#include "rl/commands/probe_context.h"
#include "rl/commands/row_fields.h"
#include "rl/gradient_sum.h"
#include "rl/optimizer.h"

namespace covrl {
namespace {

// Sequences, and which of their tokens are targets, each predicted from the tokens before it.
struct TrainingBatch {
  PackedTokens packed;
  at::Tensor mask_T;  // float32, at the place of the token that predicts the target
  int64_t num_targets = 0;
};

TrainingBatch read_batch(const Json& row) {
  const auto sequences = get_id_lists(row, "sequences");
  const auto masks = get_id_lists(row, "loss_mask");
  if (masks.size() != sequences.size())
    throw_usage("\"loss_mask\" has ", masks.size(), " lists for ", sequences.size(), " sequences");
  TrainingBatch batch;
  batch.packed = pack_tokens(sequences);
  batch.mask_T = at::zeros({batch.packed.tokens_T.size(0)}, at::kFloat);
  float* mask = batch.mask_T.mutable_data_ptr<float>();
  for (size_t n = 0; n < sequences.size(); ++n) {
    if (masks[n].size() != sequences[n].size() || (!masks[n].empty() && masks[n][0] != 0))
      throw_usage("\"loss_mask\" ", n, " must have one entry a token, the first of them 0");
    for (size_t i = 1; i < masks[n].size(); ++i) {
      if (masks[n][i] == 0) continue;
      mask[batch.packed.cu_seqlens[n] + static_cast<int64_t>(i) - 1] = 1;
      ++batch.num_targets;
    }
  }
  if (batch.num_targets == 0) throw_usage("\"loss_mask\" marks no target");
  return batch;
}

// Sum of -log p over the targets.
at::Tensor loss_sum(const Model& model, const TrainingBatch& batch) {
  return -(score(model, batch.packed, /*temperature=*/1).logprob_T * batch.mask_T).sum();
}

// Gradient of the mean loss; returns the mean.
double backward(const Model& model, const TrainingBatch& batch, GradientSum& gradient) {
  const at::Tensor loss = loss_sum(model, batch) / static_cast<double>(batch.num_targets);
  loss.backward();
  gradient.clear();
  gradient.add_and_clear_grads();
  return loss.item<double>();
}

std::vector<std::pair<std::string, at::Tensor>> named_slices(const Model& model,
                                                             const at::Tensor& flat) {
  std::vector<std::pair<std::string, at::Tensor>> slices;
  int64_t offset = 0;
  for (const auto& [name, parameter] : model.parameters()) {
    slices.emplace_back(name, flat.narrow(0, offset, parameter.numel()).view(parameter.sizes()));
    offset += parameter.numel();
  }
  return slices;
}

std::string id_text(const Json& row) {
  const Json& id = get_id(row);
  return id.is_string() ? id.get<std::string>() : id.dump();
}

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

OptimizerConfig optimizer_config(const Json& row) {
  OptimizerConfig config;
  config.lr = get_double(row, "lr", "row");
  const auto betas = row.find("betas");
  if (betas == row.end() || !betas->is_array() || betas->size() != 2)
    throw_usage("\"betas\" must be a list of two numbers");
  config.beta1 = (*betas)[0].get<double>();
  config.beta2 = (*betas)[1].get<double>();
  config.eps = get_double(row, "eps", "row");
  config.weight_decay = get_double(row, "weight_decay", "row");
  const auto clip = row.find("grad_clip");
  config.grad_clip = clip == row.end() || clip->is_null() ? 0 : get_double(row, "grad_clip", "row");
  config.decay_1d_params = get_bool(row, "decay_1d_params", "row");
  return config;
}

}  // namespace

Json probe_grad(const Json& row, ProbeContext& context) {
  const std::string path = context.tensor_file(id_text(row));
  const TrainingBatch batch = read_batch(row);
  Model model = context.model_of(row).clone();
  model.set_requires_grad(true);
  GradientSum gradient(model.parameters());
  const double mean = backward(model, batch, gradient);
  write_safetensors(path, named_slices(model, gradient.flat()));
  return {{"loss_mean", mean},
          {"loss_sum", mean * static_cast<double>(batch.num_targets)},
          {"n_targets", batch.num_targets},
          {"global_norm", gradient.norm()},
          {"grads_file", file_name(path)}};
}

Json probe_adamw(const Json& row, ProbeContext& context) {
  const std::string path = context.tensor_file(id_text(row));
  const TrainingBatch batch = read_batch(row);
  const int64_t steps = get_int(row, "steps", "row");
  Model model = context.model_of(row).clone();
  model.set_requires_grad(true);
  Optimizer optimizer(optimizer_config(row), model.parameters());
  GradientSum gradient(model.parameters());
  std::vector<double> losses, norms;
  for (int64_t step = 0; step < steps; ++step) {
    losses.push_back(backward(model, batch, gradient));
    norms.push_back(gradient.norm());
    optimizer.step(gradient.flat(), norms.back(), steps);
  }
  const at::NoGradGuard no_grad;
  const double final_loss =
      loss_sum(model, batch).item<double>() / static_cast<double>(batch.num_targets);
  write_safetensors(path, model.parameters());
  return {{"losses", losses},
          {"grad_norms", norms},
          {"final_loss", final_loss},
          {"params_file", file_name(path)}};
}

}  // namespace covrl
