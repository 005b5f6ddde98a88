// Models small enough for tests.
#pragma once

#include <ATen/ATen.h>

#include "policy/model.h"

namespace covrl::testing {

// Two Qwen2 layers of four heads over two of keys and values; sizes by test.
struct TinySizes {
  int64_t vocab = 37, hidden = 16, intermediate = 24, positions = 64;
  bool tie_word_embeddings = true;
};

inline ModelConfig tiny_config(const TinySizes& sizes = {}) {
  ModelConfig config;
  config.model_type = "qwen2";
  config.vocab_size = sizes.vocab;
  config.hidden_size = sizes.hidden;
  config.intermediate_size = sizes.intermediate;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 4;
  config.num_key_value_heads = 2;
  config.head_dim = sizes.hidden / 4;
  config.max_position_embeddings = sizes.positions;
  config.qkv_bias = true;
  config.tie_word_embeddings = sizes.tie_word_embeddings;
  return config;
}

// Weights large enough that its distributions are far from uniform.
inline Model tiny_model(uint64_t seed) {
  Model model = Model::random(tiny_config(), seed);
  const at::NoGradGuard no_grad;
  for (const auto& [name, parameter] : model.parameters())
    if (parameter.dim() > 1) parameter.detach().mul_(10);
  return model;
}

}  // namespace covrl::testing
