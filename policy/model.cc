#include "policy/model.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/hash.h"
#include "core/rng.h"
#include "kernels/linear.h"
#include "kernels/rms_norm.h"
#include "kernels/swiglu.h"
#include "kernels/token_logprob.h"
#include "policy/model_layer.h"
#include "policy/parameter_shapes.h"
#include "policy/rope_table.h"
#include "policy/scalar_type.h"

namespace covrl {
namespace {

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "[";
  for (const int64_t size : shape) text += concat(text.size() > 1 ? ", " : "", size);
  return text + "]";
}

// NaN and infinities survive into minimum or maximum; one pass, no copy.
bool all_finite(const at::Tensor& tensor) {
  if (tensor.numel() == 0) return true;
  const auto [smallest, largest] = at::aminmax(tensor);
  return std::isfinite(smallest.item<double>()) && std::isfinite(largest.item<double>());
}

// Takes the tensor out of the map, so that the stored copy is freed as soon as it is converted.
at::Tensor take_parameter(std::map<std::string, at::Tensor>& tensors, const ParameterShape& wanted,
                          DType dtype, const std::string& where) {
  const auto found = tensors.find(wanted.name);
  if (found == tensors.end())
    throw_usage(where, ": tensor \"", wanted.name, "\" of shape ", shape_text(wanted.shape),
                " is missing");
  const at::Tensor stored = std::move(found->second);
  tensors.erase(found);
  if (stored.sizes() != at::IntArrayRef(wanted.shape))
    throw_usage(where, ": tensor \"", wanted.name, "\" has shape ", shape_text(stored.sizes()),
                ", the config asks for ", shape_text(wanted.shape));
  const at::ScalarType type = stored.scalar_type();
  if (type != at::kFloat && type != at::kBFloat16 && type != at::kHalf && type != at::kDouble)
    throw_usage(where, ": tensor \"", wanted.name, "\" has type ", c10::toString(type),
                ", allowed are F32, BF16, F16, F64");
  const at::Tensor converted = stored.to(scalar_type(dtype)).contiguous();
  if (!all_finite(converted))
    throw_usage(where, ": tensor \"", wanted.name, "\" holds NaN or infinite weights",
                all_finite(stored) ? concat(" once converted to ", dtype_name(dtype)) : "");
  return converted;
}

// Left over by old converters, or a second copy of a tied head: both follow from the config.
bool is_redundant(const std::string& name, const ModelConfig& config) {
  return name.ends_with(".rotary_emb.inv_freq") ||
         (name == "lm_head.weight" && config.tie_word_embeddings);
}

at::Tensor random_parameter(const ParameterShape& parameter, uint64_t seed) {
  if (parameter.name.ends_with("norm.weight")) return at::ones(parameter.shape, at::kFloat);
  at::Tensor tensor = at::zeros(parameter.shape, at::kFloat);
  if (parameter.name.ends_with(".bias")) return tensor;
  constexpr double kStandardDeviation = 0.02;
  const uint64_t name = hash_bytes(parameter.name.data(), parameter.name.size());
  Sequence sequence(seed, Stream::kInit, name >> 32, name & 0xffffffff);
  float* values = tensor.mutable_data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i)
    values[i] = static_cast<float>(kStandardDeviation * sequence.normal());
  return tensor;
}

void check_tokens(const at::Tensor& tokens_T, int64_t vocab_size) {
  if (tokens_T.numel() == 0) return;
  const auto [smallest, largest] = at::aminmax(tokens_T);
  for (const int64_t token : {smallest.item<int64_t>(), largest.item<int64_t>()}) {
    if (token < 0 || token >= vocab_size)
      throw_usage("token id ", token, " is outside the model's vocabulary, allowed are 0 to ",
                  vocab_size - 1);
  }
}

}  // namespace

PackedTokens pack_tokens(const std::vector<std::vector<int64_t>>& sequences) {
  PackedTokens batch;
  batch.cu_seqlens.push_back(0);
  for (const auto& sequence : sequences)
    batch.cu_seqlens.push_back(batch.cu_seqlens.back() + static_cast<int64_t>(sequence.size()));
  batch.tokens_T = at::empty({batch.cu_seqlens.back()}, at::kLong);
  batch.positions_T = at::empty({batch.cu_seqlens.back()}, at::kLong);
  int64_t* token = batch.tokens_T.mutable_data_ptr<int64_t>();
  int64_t* position = batch.positions_T.mutable_data_ptr<int64_t>();
  for (const auto& sequence : sequences) {
    token = std::copy(sequence.begin(), sequence.end(), token);
    for (size_t i = 0; i < sequence.size(); ++i) *position++ = static_cast<int64_t>(i);
  }
  return batch;
}

Model::Model(ModelConfig config, DType dtype)
    : config_(std::move(config)), dtype_(dtype), rope_(std::make_unique<RopeTable>(config_)) {}

Model::Model(ModelConfig config, std::map<std::string, at::Tensor> tensors, DType dtype,
             const std::string& where)
    : Model(std::move(config), dtype) {
  if (dtype == DType::kFloat16)
    throw_usage(where, ": the model runs in float32 or bfloat16, not in float16");
  for (const ParameterShape& wanted : parameter_shapes(config_))
    parameters_.emplace_back(wanted.name, take_parameter(tensors, wanted, dtype, where));
  for (const auto& [name, tensor] : tensors) {
    if (!is_redundant(name, config_))
      throw_usage(where, ": tensor \"", name, "\" of shape ", shape_text(tensor.sizes()),
                  " is no part of a ", config_.model_type, " model with this config");
  }
  bind_layers();
}

Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Model Model::random(const ModelConfig& config, uint64_t seed) {
  Model model(config, DType::kFloat32);
  for (const ParameterShape& parameter : parameter_shapes(config))
    model.parameters_.emplace_back(parameter.name, random_parameter(parameter, seed));
  model.bind_layers();
  return model;
}

// Follows the order of parameter_shapes.
void Model::bind_layers() {
  auto next = parameters_.begin();
  const auto tensor = [&next] { return (next++)->second; };
  const auto projection = [&tensor](bool bias) {
    Projection result;
    result.weight_NK = tensor();
    if (bias) result.bias_N = tensor();
    return result;
  };
  embedding_VD_ = tensor();
  for (int64_t i = 0; i < config_.num_hidden_layers; ++i) {
    Layer layer;
    layer.input_norm_D = tensor();
    layer.q = projection(config_.qkv_bias);
    layer.k = projection(config_.qkv_bias);
    layer.v = projection(config_.qkv_bias);
    layer.o = projection(config_.o_bias);
    layer.mlp_norm_D = tensor();
    layer.gate = projection(config_.mlp_bias);
    layer.up = projection(config_.mlp_bias);
    layer.down = projection(config_.mlp_bias);
    layers_.push_back(std::move(layer));
  }
  norm_D_ = tensor();
  head_VD_ = config_.tie_word_embeddings ? embedding_VD_ : tensor();
  COVRL_CHECK(next == parameters_.end());
}

double Model::attention_scale() const {
  return 1 / std::sqrt(static_cast<double>(config_.head_dim));
}

const at::Tensor& Model::head() const { return head_VD_; }

at::Tensor Model::attention_block(int64_t index, const at::Tensor& x_TD,
                                  const kernels::RopePlaces& places, const Attend& attend) const {
  const Layer& layer = layers_[static_cast<size_t>(index)];
  const int64_t tokens = x_TD.size(0), size = config_.head_dim;
  const int64_t heads = config_.num_attention_heads, key_heads = config_.num_key_value_heads;
  const at::Tensor q_TQd = kernels::rope(layer.q(x_TD).view({tokens, heads, size}), places);
  const at::Tensor k_THd = layer.k(x_TD).view({tokens, key_heads, size});
  const at::Tensor v_THd = layer.v(x_TD).view({tokens, key_heads, size});
  const at::Tensor output_TQd = attend(index, q_TQd, k_THd, v_THd, places);
  return layer.o(output_TQd.reshape({tokens, heads * size}));
}

at::Tensor Model::mlp_block(int64_t index, const at::Tensor& x_TD) const {
  const Layer& layer = layers_[static_cast<size_t>(index)];
  return layer.down(kernels::swiglu(layer.gate(x_TD), layer.up(x_TD)));
}

at::Tensor Model::forward(const at::Tensor& tokens_T, const at::Tensor& positions_T,
                          int64_t num_positions, const Attend& attend) const {
  check_tokens(tokens_T, config_.vocab_size);
  const RopeTable::Tables tables = rope_->at_least(num_positions, device());
  const kernels::RopePlaces places{tables.cos_Pd, tables.sin_Pd, positions_T.to(device())};
  const auto normed_sum = [&](const at::Tensor& x, const at::Tensor& residual,
                              const at::Tensor& weight) {
    return kernels::rms_norm_residual(x, residual, weight, config_.rms_norm_eps);
  };
  const at::Tensor x_TD = at::embedding(embedding_VD_, tokens_T.to(device()));
  const at::Tensor& first_norm = layers_.empty() ? norm_D_ : layers_.front().input_norm_D;
  kernels::ResidualNorm x{kernels::rms_norm(x_TD, first_norm, config_.rms_norm_eps), x_TD};
  for (size_t i = 0; i < layers_.size(); ++i) {
    const int64_t index = static_cast<int64_t>(i);
    const at::Tensor& next_norm = i + 1 < layers_.size() ? layers_[i + 1].input_norm_D : norm_D_;
    x = normed_sum(x.sum_TD, attention_block(index, x.y_TD, places, attend), layers_[i].mlp_norm_D);
    x = normed_sum(x.sum_TD, mlp_block(index, x.y_TD), next_norm);
  }
  return x.y_TD;
}

Model::Attend Model::attend_packed(const kernels::Packing& packing) const {
  return [this, &packing](int64_t, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          const kernels::RopePlaces& places) {
    return kernels::attention(q, kernels::rope(k, places), v, packing, attention_scale());
  };
}

at::Tensor Model::hidden(const PackedTokens& batch) const {
  COVRL_CHECK(!batch.cu_seqlens.empty() && batch.cu_seqlens.back() == batch.tokens_T.size(0));
  const int64_t longest =
      batch.positions_T.numel() == 0 ? 0 : batch.positions_T.max().item<int64_t>() + 1;
  const kernels::Packing packing(batch.cu_seqlens, device());
  return forward(batch.tokens_T, batch.positions_T, longest, attend_packed(packing));
}

void Model::set_requires_grad(bool requires_grad) {
  for (auto& [name, tensor] : parameters_) tensor.set_requires_grad(requires_grad);
}

void Model::move_to(at::Device device) {
  for (auto& [name, tensor] : parameters_)
    tensor = tensor.detach().to(device).set_requires_grad(tensor.requires_grad());
  layers_.clear();
  bind_layers();
}

int64_t Model::num_parameters() const {
  int64_t total = 0;
  for (const auto& [name, tensor] : parameters_) total += tensor.numel();
  return total;
}

Model Model::clone() const {
  Model copy(config_, dtype_);
  for (const auto& [name, tensor] : parameters_)
    copy.parameters_.emplace_back(name, tensor.detach().clone());
  copy.bind_layers();
  return copy;
}

void Model::copy_from(const Model& other) {
  COVRL_CHECK(parameters_.size() == other.parameters_.size(), "models of different configs");
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, source] = other.parameters_[i];
    COVRL_CHECK(parameters_[i].first == name && parameters_[i].second.sizes() == source.sizes(),
                name);
    parameters_[i].second.copy_(source);
  }
}

PackedScores score(const Model& model, const PackedTokens& batch, double temperature) {
  at::Tensor targets_T = at::zeros_like(batch.tokens_T);
  for (size_t n = 0; n + 1 < batch.cu_seqlens.size(); ++n) {
    const int64_t begin = batch.cu_seqlens[n], length = batch.cu_seqlens[n + 1] - begin;
    if (length > 1)
      targets_T.narrow(0, begin, length - 1).copy_(batch.tokens_T.narrow(0, begin + 1, length - 1));
  }
  const kernels::TokenLogprob scored = kernels::token_logprob(
      model.hidden(batch), model.head(), targets_T.to(model.device()), temperature);
  return {scored.logprob_T.cpu(), scored.entropy_T.cpu()};
}

PackedScores score_rows(const Model& model, const PackedTokens& batch, const at::Tensor& rows,
                        const at::Tensor& targets, double temperature) {
  // Before the layers: a copy to a device waits for what is enqueued there.
  const at::Tensor rows_there = rows.to(model.device()), targets_there = targets.to(model.device());
  const at::Tensor hidden = model.hidden(batch).index_select(0, rows_there);
  const kernels::TokenLogprob scored =
      kernels::token_logprob(hidden, model.head(), targets_there, temperature);
  return {scored.logprob_T, scored.entropy_T};
}

}  // namespace covrl
