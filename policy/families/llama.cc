// Llama 2 and 3: no biases unless attention_bias or mlp_bias ask for them.
#include "policy/config_reader.h"
#include "policy/families/family.h"

namespace covrl {
namespace {

void read(const Json& root, const std::string& where, ModelConfig& config) {
  config.qkv_bias = optional_bool(root, "attention_bias", where, false);
  config.o_bias = config.qkv_bias;
  config.mlp_bias = optional_bool(root, "mlp_bias", where, false);
  config.num_key_value_heads = optional_positive_int(root, "num_key_value_heads", where, kMaxHeads,
                                                     config.num_attention_heads);
  config.max_position_embeddings =
      optional_positive_int(root, "max_position_embeddings", where, kMaxPositions, 2048);
}

void write(const ModelConfig& config, Json& root) {
  root["attention_bias"] = config.qkv_bias;
  root["mlp_bias"] = config.mlp_bias;
}

}  // namespace

const ModelFamily kLlamaFamily = {"llama", "LlamaForCausalLM", read, write};

}  // namespace covrl
