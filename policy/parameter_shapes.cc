#include "policy/parameter_shapes.h"

namespace covrl {
namespace {

void add_projection(std::vector<ParameterShape>& list, const std::string& name, int64_t outputs,
                    int64_t inputs, bool bias) {
  list.push_back({name + ".weight", {outputs, inputs}});
  if (bias) list.push_back({name + ".bias", {outputs}});
}

void add_layer(std::vector<ParameterShape>& list, const ModelConfig& config, int64_t layer) {
  const std::string prefix = "model.layers." + std::to_string(layer) + ".";
  const int64_t width = config.hidden_size;
  const int64_t query = config.num_attention_heads * config.head_dim;
  const int64_t key = config.num_key_value_heads * config.head_dim;
  list.push_back({prefix + "input_layernorm.weight", {width}});
  add_projection(list, prefix + "self_attn.q_proj", query, width, config.qkv_bias);
  add_projection(list, prefix + "self_attn.k_proj", key, width, config.qkv_bias);
  add_projection(list, prefix + "self_attn.v_proj", key, width, config.qkv_bias);
  add_projection(list, prefix + "self_attn.o_proj", width, query, config.o_bias);
  list.push_back({prefix + "post_attention_layernorm.weight", {width}});
  add_projection(list, prefix + "mlp.gate_proj", config.intermediate_size, width, config.mlp_bias);
  add_projection(list, prefix + "mlp.up_proj", config.intermediate_size, width, config.mlp_bias);
  add_projection(list, prefix + "mlp.down_proj", width, config.intermediate_size, config.mlp_bias);
}

}  // namespace

int64_t ParameterShape::num_elements() const {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

std::vector<ParameterShape> parameter_shapes(const ModelConfig& config) {
  std::vector<ParameterShape> list;
  list.push_back({"model.embed_tokens.weight", {config.vocab_size, config.hidden_size}});
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) add_layer(list, config, layer);
  list.push_back({"model.norm.weight", {config.hidden_size}});
  if (!config.tie_word_embeddings)
    list.push_back({"lm_head.weight", {config.vocab_size, config.hidden_size}});
  return list;
}

}  // namespace covrl
