#include "policy/model_config.h"

#include <array>
#include <filesystem>

#include "core/error.h"
#include "policy/config_reader.h"
#include "policy/families/family.h"
#include "policy/parameter_shapes.h"

namespace covrl {
namespace {

constexpr std::array<std::pair<DType, const char*>, 3> kDTypes = {
    {{DType::kFloat32, "float32"}, {DType::kBFloat16, "bfloat16"}, {DType::kFloat16, "float16"}}};

std::string config_path(const std::string& dir) { return dir + "/config.json"; }

std::string generation_path(const std::string& dir) { return dir + "/generation_config.json"; }

Json read_object(const std::string& path) {
  Json root = read_json(path);
  if (!root.is_object()) throw_usage(path, ": expected an object {...}, got ", shown(root));
  return root;
}

std::optional<RopeScaling> read_rope_scaling(const Json& rope, const std::string& where) {
  const char* key = find_key(rope, "rope_type") != nullptr ? "rope_type" : "type";
  const std::string type =
      find_key(rope, key) == nullptr ? "default" : get_string(rope, key, where);
  if (type == "default") return {};
  if (type != "llama3")
    throw_usage(where, ": \"", key, "\" is \"", type, "\", supported are \"default\", \"llama3\"");
  RopeScaling scaling;
  scaling.factor = positive_double(rope, "factor", where);
  scaling.low_freq_factor = positive_double(rope, "low_freq_factor", where);
  scaling.high_freq_factor = positive_double(rope, "high_freq_factor", where);
  scaling.original_max_position_embeddings =
      positive_int(rope, "original_max_position_embeddings", where, kMaxPositions);
  if (scaling.high_freq_factor <= scaling.low_freq_factor)
    throw_usage(where, ": \"high_freq_factor\" ", scaling.high_freq_factor,
                " must be above \"low_freq_factor\" ", scaling.low_freq_factor);
  return scaling;
}

void refuse_partial_rotation(const Json& object, const std::string& where) {
  if (find_key(object, "partial_rotary_factor") == nullptr) return;
  const double factor = get_double(object, "partial_rotary_factor", where);
  if (factor != 1)
    throw_usage(where, ": \"partial_rotary_factor\" is ", factor, ", supported is 1 only");
}

// 4.x keeps rope_theta at the top and rope_scaling beside it, 5.x both in rope_parameters; where a
// file has several, they must agree.
void read_rope(const Json& root, const std::string& where, ModelConfig& config) {
  refuse_partial_rotation(root, where);
  std::optional<double> theta;
  std::optional<std::optional<RopeScaling>> scaling;
  if (find_key(root, "rope_theta") != nullptr) theta = positive_double(root, "rope_theta", where);
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    const Json* rope = find_key(root, key);
    if (rope == nullptr) continue;
    const std::string inner = concat(where, ": \"", key, "\"");
    if (!rope->is_object()) throw_usage(inner, " must be an object, got ", shown(*rope));
    for (const auto& [name, value] : rope->items()) {
      if (value.is_object())
        throw_usage(inner, ": settings per kind of layer (\"", name,
                    "\") are not supported; give one set for all layers");
    }
    refuse_partial_rotation(*rope, inner);
    if (find_key(*rope, "rope_theta") != nullptr) {
      const double value = positive_double(*rope, "rope_theta", inner);
      if (theta.has_value() && *theta != value)
        throw_usage(inner, ": \"rope_theta\" is ", value, " here and ", *theta,
                    " elsewhere; remove one");
      theta = value;
    }
    const auto value = read_rope_scaling(*rope, inner);
    if (scaling.has_value() && *scaling != value)
      throw_usage(inner, " differs from \"rope_parameters\"; remove one of the two");
    scaling = value;
  }
  config.rope_theta = theta.value_or(10000);
  config.rope_scaling = scaling.value_or(std::nullopt);
}

void read_attention_sizes(const Json& root, const std::string& where, ModelConfig& config) {
  const int64_t heads = config.num_attention_heads;
  if (find_key(root, "head_dim") != nullptr) {
    config.head_dim = positive_int(root, "head_dim", where, kMaxHeads);
  } else if (config.hidden_size % heads == 0) {
    config.head_dim = config.hidden_size / heads;
  } else {
    throw_usage(where, ": \"hidden_size\" ", config.hidden_size,
                " is no multiple of \"num_attention_heads\" ", heads, "; give \"head_dim\"");
  }
  if (config.head_dim % 2 != 0)
    throw_usage(where, ": \"head_dim\" is ", config.head_dim,
                ", rotary embedding needs an even number");
  if (heads % config.num_key_value_heads != 0)
    throw_usage(where, ": \"num_attention_heads\" ", heads,
                " is no multiple of \"num_key_value_heads\" ", config.num_key_value_heads);
}

// Features that would change the result if they were ignored.
void refuse_unsupported(const Json& root, const std::string& where) {
  if (const Json* quantization = find_key(root, "quantization_config"))
    throw_usage(
        where, ": \"quantization_config\" is ", shown(*quantization),
        "; quantised checkpoints are not supported, use the float32, bfloat16 or float16 weights");
  if (find_key(root, "hidden_act") != nullptr) {
    const std::string activation = get_string(root, "hidden_act", where);
    if (activation != "silu")
      throw_usage(where, ": \"hidden_act\" is \"", activation, "\", supported is \"silu\" only");
  }
}

std::vector<int64_t> read_token_ids(const Json& root, const char* key, const std::string& where) {
  const Json* value = find_key(root, key);
  if (value == nullptr) return {};
  std::vector<int64_t> ids;
  const Json list = value->is_array() ? *value : Json::array({*value});
  for (const Json& id : list) {
    if (!id.is_number_integer() || id < 0 || id > kMaxVocabulary)
      throw_usage(where, ": \"", key, "\" must be a token id or a list of them, got ",
                  shown(*value));
    ids.push_back(id.get<int64_t>());
  }
  return ids;
}

std::optional<int64_t> read_token_id(const Json& root, const char* key, const std::string& where) {
  const auto ids = read_token_ids(root, key, where);
  if (ids.empty()) return {};
  return ids.front();
}

DType read_dtype(const Json& root, const std::string& where) {
  for (const char* key : {"dtype", "torch_dtype"}) {
    if (find_key(root, key) != nullptr)
      return parse_dtype(get_string(root, key, where), concat(where, ": \"", key, "\""));
  }
  return DType::kFloat32;
}

Json token_ids_json(const std::vector<int64_t>& ids) {
  if (ids.empty()) return nullptr;
  return ids.size() == 1 ? Json(ids.front()) : Json(ids);
}

Json optional_json(const std::optional<int64_t>& id) {
  return id.has_value() ? Json(*id) : Json(nullptr);
}

Json rope_scaling_json(const std::optional<RopeScaling>& scaling) {
  if (!scaling.has_value()) return nullptr;
  return {{"factor", scaling->factor},
          {"high_freq_factor", scaling->high_freq_factor},
          {"low_freq_factor", scaling->low_freq_factor},
          {"original_max_position_embeddings", scaling->original_max_position_embeddings},
          {"rope_type", "llama3"}};
}

}  // namespace

const char* dtype_name(DType dtype) {
  for (const auto& [value, name] : kDTypes)
    if (value == dtype) return name;
  COVRL_CHECK(false, "dtype without a name");
  return nullptr;
}

DType parse_dtype(const std::string& name, const std::string& where) {
  for (const auto& [value, known] : kDTypes)
    if (name == known) return value;
  throw_usage(where, " is \"", name, "\", allowed are \"float32\", \"bfloat16\", \"float16\"");
}

int64_t ModelConfig::num_parameters() const {
  int64_t total = 0;
  for (const ParameterShape& parameter : parameter_shapes(*this)) total += parameter.num_elements();
  return total;
}

ModelConfig read_model_config(const std::string& dir) {
  const std::string where = config_path(dir);
  const Json root = read_object(where);
  const ModelFamily& family = find_family(root, where);
  refuse_unsupported(root, where);

  ModelConfig config;
  config.model_type = family.model_type;
  config.vocab_size = positive_int(root, "vocab_size", where, kMaxVocabulary);
  config.hidden_size = positive_int(root, "hidden_size", where, kMaxWidth);
  config.intermediate_size = positive_int(root, "intermediate_size", where, kMaxWidth);
  config.num_hidden_layers = positive_int(root, "num_hidden_layers", where, kMaxLayers);
  config.num_attention_heads = positive_int(root, "num_attention_heads", where, kMaxHeads);
  family.read(root, where, config);
  read_attention_sizes(root, where, config);
  if (find_key(root, "rms_norm_eps") != nullptr)
    config.rms_norm_eps = positive_double(root, "rms_norm_eps", where);
  read_rope(root, where, config);
  config.tie_word_embeddings = optional_bool(root, "tie_word_embeddings", where, false);
  config.dtype = read_dtype(root, where);
  config.eos_token_ids = read_token_ids(root, "eos_token_id", where);
  config.bos_token_id = read_token_id(root, "bos_token_id", where);
  config.pad_token_id = read_token_id(root, "pad_token_id", where);
  return config;
}

GenerationConfig read_generation_config(const std::string& dir, const ModelConfig& model) {
  GenerationConfig config;
  config.eos_token_ids = model.eos_token_ids;
  const std::string where = generation_path(dir);
  if (!std::filesystem::exists(where)) return config;
  const Json root = read_object(where);
  if (find_key(root, "eos_token_id") != nullptr)
    config.eos_token_ids = read_token_ids(root, "eos_token_id", where);
  if (find_key(root, "temperature") != nullptr)
    config.temperature = get_double(root, "temperature", where);
  if (find_key(root, "top_p") != nullptr) config.top_p = get_double(root, "top_p", where);
  if (find_key(root, "top_k") != nullptr) config.top_k = get_int(root, "top_k", where);
  return config;
}

void write_model_config(const std::string& dir, const ModelConfig& config) {
  const ModelFamily& family = find_family(config.model_type);
  Json root;
  root["architectures"] = Json::array({family.architecture});
  root["model_type"] = family.model_type;
  root["vocab_size"] = config.vocab_size;
  root["hidden_size"] = config.hidden_size;
  root["intermediate_size"] = config.intermediate_size;
  root["num_hidden_layers"] = config.num_hidden_layers;
  root["num_attention_heads"] = config.num_attention_heads;
  root["num_key_value_heads"] = config.num_key_value_heads;
  root["head_dim"] = config.head_dim;
  root["hidden_act"] = "silu";
  root["max_position_embeddings"] = config.max_position_embeddings;
  root["rms_norm_eps"] = config.rms_norm_eps;
  root["rope_theta"] = config.rope_theta;
  root["rope_scaling"] = rope_scaling_json(config.rope_scaling);
  root["tie_word_embeddings"] = config.tie_word_embeddings;
  root["torch_dtype"] = dtype_name(config.dtype);
  root["bos_token_id"] = optional_json(config.bos_token_id);
  root["eos_token_id"] = token_ids_json(config.eos_token_ids);
  root["pad_token_id"] = optional_json(config.pad_token_id);
  family.write(config, root);
  write_file_atomically(config_path(dir), root.dump(2) + "\n");
}

void write_generation_config(const std::string& dir, const GenerationConfig& config) {
  Json root = Json::object();
  root["eos_token_id"] = token_ids_json(config.eos_token_ids);
  if (config.temperature.has_value()) root["temperature"] = *config.temperature;
  if (config.top_p.has_value()) root["top_p"] = *config.top_p;
  if (config.top_k.has_value()) root["top_k"] = *config.top_k;
  write_file_atomically(generation_path(dir), root.dump(2) + "\n");
}

}  // namespace covrl
