// config.json and generation_config.json of a Hugging Face checkpoint, both layouts that
// transformers writes: 4.x (rope_theta, rope_scaling, torch_dtype at the top level) and 5.x
// (rope_parameters, dtype).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace covrl {

enum class DType { kFloat32, kBFloat16, kFloat16 };
const char* dtype_name(DType dtype);  // "float32", ...
DType parse_dtype(const std::string& name, const std::string& where);

// Llama-3 frequency scaling.
struct RopeScaling {
  double factor = 1;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  int64_t original_max_position_embeddings = 8192;
  bool operator==(const RopeScaling&) const = default;
};

struct ModelConfig {
  std::string model_type;  // "qwen2", "llama": a key of families/ table
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t num_key_value_heads = 0;
  int64_t head_dim = 0;  // explicit, or hidden_size / num_attention_heads
  int64_t max_position_embeddings = 0;
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000;
  std::optional<RopeScaling> rope_scaling;
  bool tie_word_embeddings = false;
  bool qkv_bias = false;  // by family: true for qwen2, attention_bias for llama
  bool o_bias = false;
  bool mlp_bias = false;
  DType dtype = DType::kFloat32;  // of the stored weights
  std::vector<int64_t> eos_token_ids;
  std::optional<int64_t> bos_token_id;
  std::optional<int64_t> pad_token_id;

  int64_t num_parameters() const;
  bool operator==(const ModelConfig&) const = default;
};

struct GenerationConfig {
  std::vector<int64_t> eos_token_ids;  // generation_config.json wins over config.json
  std::optional<double> temperature, top_p;
  std::optional<int64_t> top_k;
};

// `dir/config.json`. Missing keys, wrong types, unsupported architectures or features (sliding
// window in use, another rope type, another activation) throw Error(kUsage) naming file, key, value
// seen and values allowed. Unknown keys are ignored.
ModelConfig read_model_config(const std::string& dir);
GenerationConfig read_generation_config(const std::string& dir, const ModelConfig& model);
void write_model_config(const std::string& dir,
                        const ModelConfig& config);  // 4.x layout, as published checkpoints have it
void write_generation_config(const std::string& dir, const GenerationConfig& config);

}  // namespace covrl
