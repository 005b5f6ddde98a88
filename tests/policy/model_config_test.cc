#include "policy/model_config.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/jsonl.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

Json qwen2() {
  return {{"architectures", {"Qwen2ForCausalLM"}},
          {"model_type", "qwen2"},
          {"vocab_size", 300},
          {"hidden_size", 16},
          {"intermediate_size", 24},
          {"num_hidden_layers", 2},
          {"num_attention_heads", 2},
          {"num_key_value_heads", 1},
          {"max_position_embeddings", 512},
          {"hidden_act", "silu"},
          {"rms_norm_eps", 1e-5},
          {"eos_token_id", 298}};
}

Json llama() {
  Json root = qwen2();
  root["architectures"] = {"LlamaForCausalLM"};
  root["model_type"] = "llama";
  return root;
}

std::string dir_with(const std::string& config, const std::string& generation = "") {
  const std::string dir = testing::temporary_dir("config");
  write_file_atomically(dir + "/config.json", config);
  if (!generation.empty()) write_file_atomically(dir + "/generation_config.json", generation);
  return dir;
}

ModelConfig read(const Json& root) { return read_model_config(dir_with(root.dump())); }

// The message of the error, which must name config.json.
std::string refusal(const Json& root) {
  try {
    read(root);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("config.json"), std::string::npos) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << root.dump();
  return "";
}

void expect_words(const std::string& message, std::initializer_list<const char*> words) {
  for (const char* word : words)
    EXPECT_NE(message.find(word), std::string::npos) << "'" << word << "' is not in: " << message;
}

TEST(ModelConfig, ReadsTheOlderLayout) {
  Json root = qwen2();
  root["rope_theta"] = 1e6;
  root["torch_dtype"] = "bfloat16";
  root["tie_word_embeddings"] = true;
  const ModelConfig config = read(root);
  EXPECT_EQ(config.model_type, "qwen2");
  EXPECT_EQ(config.head_dim, 8);
  EXPECT_EQ(config.rope_theta, 1e6);
  EXPECT_EQ(config.rms_norm_eps, 1e-5);
  EXPECT_EQ(config.dtype, DType::kBFloat16);
  EXPECT_TRUE(config.tie_word_embeddings);
  EXPECT_TRUE(config.qkv_bias);
  EXPECT_FALSE(config.o_bias);
  EXPECT_EQ(config.eos_token_ids, std::vector<int64_t>{298});
  EXPECT_FALSE(config.rope_scaling.has_value());
}

TEST(ModelConfig, ReadsTheNewerLayout) {
  Json root = llama();
  root["dtype"] = "float16";
  root["rope_parameters"] = {{"rope_theta", 500000.0},  {"rope_type", "llama3"},
                             {"factor", 32.0},          {"low_freq_factor", 1.0},
                             {"high_freq_factor", 4.0}, {"original_max_position_embeddings", 64}};
  const ModelConfig config = read(root);
  EXPECT_EQ(config.rope_theta, 500000);
  EXPECT_EQ(config.dtype, DType::kFloat16);
  ASSERT_TRUE(config.rope_scaling.has_value());
  EXPECT_EQ(*config.rope_scaling, (RopeScaling{32, 1, 4, 64}));
}

TEST(ModelConfig, AcceptsBothLayoutsInOneFileWhenTheyAgree) {
  Json root = llama();
  root["rope_theta"] = 500000.0;
  root["rope_parameters"] = {{"rope_theta", 500000.0}, {"rope_type", "default"}};
  root["rope_scaling"] = nullptr;
  EXPECT_EQ(read(root).rope_theta, 500000);
  root["rope_theta"] = 10000.0;
  expect_words(refusal(root), {"rope_theta", "500000", "10000"});
}

TEST(ModelConfig, DefaultsAreThoseOfTheFamilies) {
  Json root = llama();
  root.erase("num_key_value_heads");
  root.erase("rms_norm_eps");
  const ModelConfig config = read(root);
  EXPECT_EQ(config.num_key_value_heads, 2);
  EXPECT_EQ(config.rms_norm_eps, 1e-6);
  EXPECT_EQ(config.rope_theta, 10000);
  EXPECT_EQ(config.dtype, DType::kFloat32);
  EXPECT_FALSE(config.tie_word_embeddings);
  EXPECT_FALSE(config.qkv_bias);
}

TEST(ModelConfig, LlamaBiasesFollowItsFlags) {
  Json root = llama();
  root["attention_bias"] = true;
  root["mlp_bias"] = true;
  const ModelConfig config = read(root);
  EXPECT_TRUE(config.qkv_bias);
  EXPECT_TRUE(config.o_bias);
  EXPECT_TRUE(config.mlp_bias);
}

TEST(ModelConfig, ScalingTypeMayHaveItsOldName) {
  Json root = llama();
  root["rope_scaling"] = {{"type", "llama3"},
                          {"factor", 8.0},
                          {"low_freq_factor", 1.0},
                          {"high_freq_factor", 4.0},
                          {"original_max_position_embeddings", 8192}};
  EXPECT_EQ(read(root).rope_scaling->factor, 8);
  root["rope_scaling"] = {{"type", "default"}};
  EXPECT_FALSE(read(root).rope_scaling.has_value());
}

TEST(ModelConfig, RefusesOtherScalingTypes) {
  Json root = llama();
  root["rope_scaling"] = {{"rope_type", "yarn"}, {"factor", 4.0}};
  expect_words(refusal(root), {"rope_scaling", "yarn", "llama3"});
}

TEST(ModelConfig, RefusesASlidingWindowInUseOnly) {
  Json root = qwen2();
  root["sliding_window"] = 32;
  root["use_sliding_window"] = false;
  EXPECT_EQ(read(root).max_position_embeddings, 512);
  root["use_sliding_window"] = true;
  expect_words(refusal(root), {"use_sliding_window", "32", "512"});
  root["sliding_window"] = 512;
  EXPECT_EQ(read(root).max_position_embeddings, 512);
}

TEST(ModelConfig, RefusesWhatWouldChangeTheResult) {
  const std::vector<std::pair<const char*, Json>> cases = {
      {"hidden_act", "gelu"},
      {"quantization_config", {{"quant_method", "gptq"}}},
      {"partial_rotary_factor", 0.5},
      {"layer_types", {"full_attention", "sliding_attention"}},
      {"torch_dtype", "float8"},
      {"model_type", "gpt2"},
      {"architectures", {"Qwen2ForSequenceClassification"}},
  };
  for (const auto& [key, value] : cases) {
    Json root = qwen2();
    root[key] = value;
    const Json seen = value.is_array() ? value.back() : value;
    expect_words(refusal(root),
                 {key, seen.is_string() ? seen.get_ref<const std::string&>().c_str() : key});
  }
}

TEST(ModelConfig, RefusesSizesThatCannotBe) {
  const std::vector<std::pair<const char*, Json>> cases = {
      {"hidden_size", 0},
      {"hidden_size", -16},
      {"hidden_size", "16"},
      {"hidden_size", 16.5},
      {"vocab_size", int64_t{1} << 60},
      {"num_hidden_layers", 1000000000},
      {"num_attention_heads", 3},
      {"num_key_value_heads", 3},
      {"head_dim", 7},
      {"rms_norm_eps", 0.0},
      {"max_position_embeddings", 0},
      {"eos_token_id", "end"},
      {"eos_token_id", -1},
      {"tie_word_embeddings", 1},
  };
  for (const auto& [key, value] : cases) {
    Json root = qwen2();
    root[key] = value;
    expect_words(refusal(root), {key});
  }
}

TEST(ModelConfig, NamesTheKeyThatIsMissing) {
  for (const char* key : {"model_type", "vocab_size", "hidden_size", "intermediate_size",
                          "num_hidden_layers", "num_attention_heads", "num_key_value_heads"}) {
    Json root = qwen2();
    root.erase(key);
    expect_words(refusal(root), {key});
  }
}

TEST(ModelConfig, RefusesDuplicateKeys) {
  const std::string text = qwen2().dump();
  try {
    read_model_config(dir_with(text.substr(0, text.size() - 1) + ", \"hidden_size\": 32}"));
    FAIL() << "accepted";
  } catch (const Error& error) {
    expect_words(error.what(), {"config.json", "hidden_size", "duplicate"});
  }
}

TEST(GenerationConfig, WinsOverTheModelConfig) {
  const std::string dir = dir_with(
      qwen2().dump(), R"({"eos_token_id": [7, 9], "temperature": 0.7, "top_p": 0.8, "top_k": 20})");
  const GenerationConfig config = read_generation_config(dir, read_model_config(dir));
  EXPECT_EQ(config.eos_token_ids, (std::vector<int64_t>{7, 9}));
  EXPECT_EQ(config.temperature, 0.7);
  EXPECT_EQ(config.top_p, 0.8);
  EXPECT_EQ(config.top_k, 20);
}

TEST(GenerationConfig, FallsBackToTheModelConfig) {
  const std::string without_file = dir_with(qwen2().dump());
  const std::string without_key = dir_with(qwen2().dump(), "{}");
  for (const std::string& dir : {without_file, without_key})
    EXPECT_EQ(read_generation_config(dir, read_model_config(dir)).eos_token_ids,
              std::vector<int64_t>{298});
}

TEST(ModelConfig, WrittenConfigReadsBackTheSame) {
  Json root = llama();
  root["rope_scaling"] = {{"rope_type", "llama3"},
                          {"factor", 8.0},
                          {"low_freq_factor", 1.0},
                          {"high_freq_factor", 4.0},
                          {"original_max_position_embeddings", 8192}};
  root["attention_bias"] = true;
  root["eos_token_id"] = {298, 299};
  root["pad_token_id"] = 0;
  for (const Json& original : {root, qwen2()}) {
    const ModelConfig config = read(original);
    const std::string dir = testing::temporary_dir("config");
    write_model_config(dir, config);
    EXPECT_EQ(read_model_config(dir), config);
  }
}

}  // namespace
}  // namespace covrl
