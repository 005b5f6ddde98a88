#include "policy/pretrained.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "core/jsonl.h"
#include "policy/safetensors.h"
#include "tests/policy/golden_model.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

namespace fs = std::filesystem;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

// The case's folder, completed with what it has in common with the sound checkpoint `ok_base`.
std::string malformed_dir(const fs::path& root, const std::string& name) {
  const fs::path parent = testing::temporary_dir("malformed"), dir = parent / name;
  fs::create_directory(dir);
  fs::copy(root / "outside_shard.safetensors", parent);
  const bool sharded = fs::exists(root / name / "model.safetensors.index.json");
  for (const auto& entry : fs::directory_iterator(root / "ok_base"))
    if (!sharded || entry.path().filename() != "model.safetensors") fs::copy(entry.path(), dir);
  if (fs::exists(root / name))
    fs::copy(root / name, dir, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  return dir.string();
}

class Malformed : public ::testing::TestWithParam<std::string> {};

TEST_P(Malformed, IsRefusedOrLoadedAsTheManifestSays) {
  const std::string root = testing::reference_path("fixtures/malformed");
  COVRL_REQUIRE_REFERENCE(testing::reference_path("fixtures/malformed/ok_base"));
  Json found;
  read_jsonl(root + "/manifest.jsonl", [&](int64_t, const Json& row) {
    if (row["case"] == GetParam()) found = row;
  });
  ASSERT_FALSE(found.is_null()) << "not in the manifest";
  const std::string dir = malformed_dir(root, GetParam());
  if (found["policy"] == "ok") {
    EXPECT_NE(load_pretrained(dir).model, nullptr);
    return;
  }
  try {
    load_pretrained(dir);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
    const std::string message = lower(error.what());
    const Json& words = found["mention_any"];
    EXPECT_TRUE(std::any_of(words.begin(), words.end(),
                            [&](const Json& word) {
                              return message.find(lower(word.get<std::string>())) !=
                                     std::string::npos;
                            }))
        << message << " names none of " << words;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Public, Malformed,
    ::testing::Values("config_duplicate_key", "config_gpt2", "config_missing_num_attention_heads",
                      "config_truncated", "config_type_string_hidden_size", "index_dotdot_shard",
                      "index_missing_shard", "ok_base", "ok_header_padded",
                      "ok_unknown_config_keys", "st_dtype_unknown", "st_header_len_huge",
                      "st_is_lfs_pointer", "st_overlapping_offsets", "st_truncated_data_half",
                      "st_zero_length", "tensor_down_proj_transposed", "tensor_extra_unknown",
                      "tensor_missing_q_proj", "tensor_nan", "tok_merge_unknown_part"),
    [](const auto& info) { return info.param; });

bool same_weights(const Model& a, const Model& b) {
  if (a.parameters().size() != b.parameters().size()) return false;
  for (size_t i = 0; i < a.parameters().size(); ++i) {
    const auto& [name, left] = a.parameters()[i];
    const auto& [other_name, right] = b.parameters()[i];
    if (name != other_name || left.sizes() != right.sizes() ||
        left.scalar_type() != right.scalar_type() ||
        std::memcmp(left.const_data_ptr(), right.const_data_ptr(), left.nbytes()) != 0)
      return false;
  }
  return true;
}

class SavePretrained : public ::testing::TestWithParam<std::string> {};

TEST_P(SavePretrained, LoadsBackTheSame) {
  const std::string dir = testing::golden_model_dir(GetParam());
  COVRL_REQUIRE_REFERENCE(dir);
  const Pretrained source = load_pretrained(dir);
  const std::string saved = testing::temporary_dir("saved") + "/actor/huggingface";
  save_pretrained(saved, source, *source.model, DType::kFloat32);
  const Pretrained loaded = load_pretrained(saved);
  EXPECT_TRUE(same_weights(*loaded.model, *source.model));
  ModelConfig wanted = source.config;
  wanted.dtype = DType::kFloat32;
  EXPECT_EQ(loaded.config, wanted);
  EXPECT_EQ(loaded.generation.eos_token_ids, source.generation.eos_token_ids);
  EXPECT_EQ(loaded.tokenizer->encode("x = 12"), source.tokenizer->encode("x = 12"));
  const std::vector<Message> messages = {{"user", "Hello"}};
  ASSERT_NE(loaded.chat, nullptr);
  EXPECT_EQ(loaded.chat->render(messages, true, {}), source.chat->render(messages, true, {}));
}

INSTANTIATE_TEST_SUITE_P(Public, SavePretrained,
                         ::testing::Values("q2-tied-fp32", "llama-rs32-tied-bf16"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(SavePretrained, StoresTheTypeAskedFor) {
  const std::string dir = testing::golden_model_dir("llama-rs32-tied-bf16");
  COVRL_REQUIRE_REFERENCE(dir);
  const Pretrained source = load_pretrained(dir);
  const std::string saved = testing::temporary_dir("saved");
  save_pretrained(saved, source, *source.model, DType::kBFloat16);
  EXPECT_EQ(read_model_config(saved).dtype, DType::kBFloat16);
  for (const auto& [name, tensor] : read_safetensors_dir(saved))
    EXPECT_EQ(tensor.scalar_type(), at::kBFloat16) << name;
  // Weights that came from bfloat16 survive the trip through float32.
  EXPECT_TRUE(same_weights(*load_pretrained(saved).model, *source.model));
}

TEST(LoadPretrained, NamesWhatIsMissing) {
  const std::string dir = testing::temporary_dir("empty");
  for (const std::string& path : {dir, dir + "/nowhere"}) {
    try {
      load_pretrained(path);
      FAIL() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_NE(std::string(error.what()).find(path), std::string::npos);
    }
  }
}

TEST(LoadPretrained, WithoutWeightsReadsTheRest) {
  const std::string dir = testing::golden_model_dir("q2-tied-fp32");
  COVRL_REQUIRE_REFERENCE(dir);
  const Pretrained loaded = load_pretrained_without_weights(dir, "qwen2.5");
  EXPECT_EQ(loaded.model, nullptr);
  EXPECT_EQ(loaded.config.hidden_size, 64);
  EXPECT_NE(loaded.tokenizer, nullptr);
  EXPECT_NE(loaded.chat, nullptr);
}

}  // namespace
}  // namespace covrl
