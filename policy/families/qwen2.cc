// Qwen2 and Qwen2.5: biases on the query, key and value projections; a sliding window that
// published checkpoints switch off.
#include "core/error.h"
#include "policy/config_reader.h"
#include "policy/families/family.h"

namespace covrl {
namespace {

void refuse_sliding_layers(const Json& root, const std::string& where) {
  const Json* types = find_key(root, "layer_types");
  if (types == nullptr) return;
  if (!types->is_array())
    throw_usage(where, ": \"layer_types\" must be a list, got ", shown(*types));
  for (const Json& type : *types) {
    if (type != "full_attention")
      throw_usage(where, ": \"layer_types\" holds ", shown(type),
                  ", supported is \"full_attention\" only");
  }
}

// A window at least as long as the context never masks anything.
void refuse_sliding_window(const Json& root, const std::string& where, const ModelConfig& config) {
  if (!optional_bool(root, "use_sliding_window", where, false) ||
      find_key(root, "sliding_window") == nullptr)
    return refuse_sliding_layers(root, where);
  const int64_t tokens = get_int(root, "sliding_window", where);
  if (tokens >= config.max_position_embeddings) return;
  throw_usage(where, ": \"use_sliding_window\" is true with \"sliding_window\" ", tokens,
              "; only full attention is supported: \"use_sliding_window\": false, or a window of ",
              "at least \"max_position_embeddings\" (", config.max_position_embeddings, ")");
}

void read(const Json& root, const std::string& where, ModelConfig& config) {
  config.qkv_bias = true;
  config.num_key_value_heads = positive_int(root, "num_key_value_heads", where, kMaxHeads);
  config.max_position_embeddings =
      optional_positive_int(root, "max_position_embeddings", where, kMaxPositions, 32768);
  refuse_sliding_window(root, where, config);
}

void write(const ModelConfig&, Json& root) {
  root["use_sliding_window"] = false;
  root["sliding_window"] = nullptr;
}

}  // namespace

const ModelFamily kQwen2Family = {"qwen2", "Qwen2ForCausalLM", read, write};

}  // namespace covrl
