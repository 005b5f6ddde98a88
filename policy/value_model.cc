#include "policy/value_model.h"

#include <ATen/Functions.h>

#include <map>

#include "kernels/linear.h"

namespace covrl {
namespace {

// As a tied model, which has no output head of its own among its parameters.
Model clone_trunk(const Model& start) {
  ModelConfig config = start.config();
  config.tie_word_embeddings = true;
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : start.parameters())
    if (name != "lm_head.weight") tensors.emplace(name, tensor.detach().clone());
  return Model(config, std::move(tensors), start.dtype(), "critic");
}

}  // namespace

ValueModel::ValueModel(const Model& start)
    : trunk_(clone_trunk(start)),
      weight_1D_(at::zeros({1, start.config().hidden_size}, start.head().options())),
      bias_1_(at::zeros({1}, start.head().options())),
      parameters_(trunk_.parameters()) {
  parameters_.emplace_back("score.weight", weight_1D_);
  parameters_.emplace_back("score.bias", bias_1_);
}

at::Tensor ValueModel::values(const PackedTokens& batch, const at::Tensor& rows) const {
  const at::Tensor hidden = trunk_.hidden(batch).index_select(0, rows.to(trunk_.device()));
  return kernels::linear(hidden, weight_1D_, bias_1_).squeeze(1).to(at::kCPU, at::kFloat);
}

void ValueModel::set_requires_grad(bool requires_grad) {
  for (auto& [name, tensor] : parameters_) tensor.set_requires_grad(requires_grad);
}

}  // namespace covrl
