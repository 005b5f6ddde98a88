// A model small enough for tests, with weights large enough that its distributions are far from
// uniform.
#pragma once

#include <ATen/ATen.h>

#include "policy/model.h"

namespace covrl::testing {

inline Model tiny_model(uint64_t seed) {
  ModelConfig config;
  config.model_type = "qwen2";
  config.vocab_size = 37;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 4;
  config.num_key_value_heads = 2;
  config.head_dim = 4;
  config.max_position_embeddings = 64;
  config.qkv_bias = true;
  config.tie_word_embeddings = true;
  Model model = Model::random(config, seed);
  const at::NoGradGuard no_grad;
  for (const auto& [name, parameter] : model.parameters())
    if (parameter.dim() > 1) parameter.detach().mul_(10);
  return model;
}

}  // namespace covrl::testing
