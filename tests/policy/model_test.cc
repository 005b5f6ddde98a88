#include "policy/model.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "policy/kv_cache.h"
#include "policy/parameter_shapes.h"
#include "policy/rope_table.h"
#include "tests/support/torch/tiny_model.h"

namespace covrl {
namespace {

ModelConfig small_config() {
  return testing::tiny_config({.vocab = 61,
                               .hidden = 24,
                               .intermediate = 44,
                               .positions = 512,
                               .tie_word_embeddings = false});
}

// Weights large enough that every layer matters.
std::map<std::string, at::Tensor> small_weights(const ModelConfig& config) {
  std::map<std::string, at::Tensor> tensors;
  const Model model = Model::random(config, /*seed=*/5);
  for (const auto& [name, tensor] : model.parameters())
    tensors[name] = tensor.dim() == 2 ? tensor * 8 : tensor;
  return tensors;
}

Model small_model(DType dtype = DType::kFloat32) {
  return Model(small_config(), small_weights(small_config()), dtype, "test");
}

std::vector<int64_t> some_tokens(int64_t count, int64_t seed) {
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i < count; ++i)
    tokens.push_back((seed + 17 * i + i * i) % small_config().vocab_size);
  return tokens;
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor left = a.contiguous(), right = b.contiguous();
  return left.sizes() == right.sizes() && left.scalar_type() == right.scalar_type() &&
         std::memcmp(left.const_data_ptr(), right.const_data_ptr(), left.nbytes()) == 0;
}

std::string refusal(std::map<std::string, at::Tensor> tensors) {
  try {
    const Model model(small_config(), std::move(tensors), DType::kFloat32, "some/folder");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("some/folder"), std::string::npos);
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

TEST(PackTokens, PositionsStartAgainWithEachSequence) {
  const PackedTokens batch = pack_tokens({{7, 8, 9}, {}, {5}});
  EXPECT_EQ(batch.cu_seqlens, (std::vector<int64_t>{0, 3, 3, 4}));
  EXPECT_TRUE(batch.tokens_T.equal(at::tensor(std::vector<int64_t>{7, 8, 9, 5})));
  EXPECT_TRUE(batch.positions_T.equal(at::tensor(std::vector<int64_t>{0, 1, 2, 0})));
}

TEST(Model, HiddenStatesDoNotDependOnThePacking) {
  const std::vector<std::vector<int64_t>> sequences = {some_tokens(1, 3), some_tokens(17, 4),
                                                       some_tokens(40, 5), some_tokens(7, 6)};
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    const Model model = small_model(dtype);
    const PackedTokens packed = pack_tokens(sequences);
    const at::Tensor together = model.hidden(packed);
    for (size_t n = 0; n < sequences.size(); ++n) {
      const at::Tensor alone = model.hidden(pack_tokens({sequences[n]}));
      EXPECT_TRUE(
          same_bits(alone, together.slice(0, packed.cu_seqlens[n], packed.cu_seqlens[n + 1])))
          << dtype_name(dtype) << " sequence " << n;
    }
  }
}

TEST(Model, ATokenDependsOnWhatPrecedesItOnly) {
  const Model model = small_model();
  const std::vector<int64_t> tokens = some_tokens(33, 1);
  const at::Tensor whole = model.hidden(pack_tokens({tokens}));
  for (const int64_t length : {1, 16, 32}) {
    const std::vector<int64_t> start(tokens.begin(), tokens.begin() + length);
    EXPECT_TRUE(same_bits(model.hidden(pack_tokens({start})), whole.slice(0, 0, length))) << length;
  }
}

TEST(Model, DecodingHasTheBitsOfTheFullForward) {
  const std::vector<int64_t> first = some_tokens(45, 8), second = some_tokens(38, 9);
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    const Model model = small_model(dtype);
    const at::Tensor whole_first = model.hidden(pack_tokens({first})),
                     whole_second = model.hidden(pack_tokens({second}));
    KvCache cache(model.config(), dtype, 64);
    const int64_t a = cache.add_sequence(), b = cache.add_sequence();
    const std::vector<int64_t> prompt_a(first.begin(), first.begin() + 14),
        prompt_b(second.begin(), second.begin() + 7);
    const at::Tensor prompts = model.prefill(pack_tokens({prompt_a, prompt_b}), {a, b}, cache);
    EXPECT_TRUE(same_bits(prompts.slice(0, 0, 14), whole_first.slice(0, 0, 14)));
    EXPECT_TRUE(same_bits(prompts.slice(0, 14, 21), whole_second.slice(0, 0, 7)));
    for (size_t i = 0; i + 14 < first.size(); ++i) {
      const at::Tensor step = model.decode({first[14 + i], second[7 + i]}, {a, b}, cache);
      const auto offset = static_cast<int64_t>(i);
      EXPECT_TRUE(same_bits(step[0], whole_first[14 + offset]))
          << dtype_name(dtype) << " step " << i;
      EXPECT_TRUE(same_bits(step[1], whole_second[7 + offset]))
          << dtype_name(dtype) << " step " << i;
    }
  }
}

TEST(Model, PrefillContinuesAForkedPrefix) {
  const Model model = small_model();
  const std::vector<int64_t> tokens = some_tokens(40, 2);
  const std::vector<int64_t> prefix(tokens.begin(), tokens.begin() + 21),
      rest(tokens.begin() + 21, tokens.end());
  const at::Tensor whole = model.hidden(pack_tokens({tokens}));
  KvCache cache(model.config(), DType::kFloat32, 16);
  const int64_t prompt = cache.add_sequence();
  model.prefill(pack_tokens({prefix}), {prompt}, cache);
  const int64_t left = cache.fork(prompt), right = cache.fork(prompt);
  model.prefill(pack_tokens({some_tokens(9, 50)}), {left}, cache);
  EXPECT_TRUE(same_bits(model.prefill(pack_tokens({rest}), {right}, cache), whole.slice(0, 21)));
  EXPECT_EQ(cache.length(right), 40);
  EXPECT_EQ(cache.length(prompt), 21);
}

TEST(Model, ScoresTheNextTokenOfEachSequence) {
  const Model model = small_model();
  const std::vector<int64_t> tokens = some_tokens(12, 4);
  const PackedScores alone = score(model, pack_tokens({tokens}), 0.7);
  const PackedScores packed = score(model, pack_tokens({some_tokens(5, 9), tokens}), 0.7);
  EXPECT_TRUE(same_bits(alone.logprob_T, packed.logprob_T.slice(0, 5)));
  EXPECT_TRUE(same_bits(alone.entropy_T, packed.entropy_T.slice(0, 5)));
  const at::Tensor logits =
      at::matmul(model.hidden(pack_tokens({tokens})), model.head().t()).to(at::kDouble) / 0.7;
  const at::Tensor logprobs = at::log_softmax(logits, -1);
  for (int64_t i = 0; i + 1 < 12; ++i)
    EXPECT_NEAR(alone.logprob_T[i].item<double>(),
                logprobs[i][tokens[static_cast<size_t>(i + 1)]].item<double>(), 1e-5);
}

TEST(Model, GradientsReachEveryParameter) {
  for (const bool tied : {false, true}) {
    ModelConfig config = small_config();
    config.tie_word_embeddings = tied;
    auto weights = small_weights(config);
    Model model(config, std::move(weights), DType::kFloat32, "test");
    model.set_requires_grad(true);
    score(model, pack_tokens({some_tokens(9, 1), some_tokens(5, 2)}), 1).logprob_T.sum().backward();
    for (const auto& [name, parameter] : model.parameters()) {
      // A bias of the keys shifts every logit of a query alike, but rotation breaks that: its
      // gradient is small, not zero.
      ASSERT_TRUE(parameter.grad().defined()) << name;
      EXPECT_GT(parameter.grad().abs().max().item<float>(), 0) << name;
    }
  }
}

TEST(Model, TiedHeadIsTheEmbedding) {
  ModelConfig config = small_config();
  config.tie_word_embeddings = true;
  const Model model = Model::random(config, 1);
  EXPECT_TRUE(model.head().is_same(model.parameters().front().second));
  EXPECT_EQ(model.num_parameters(), config.num_parameters());
  EXPECT_EQ(model.num_parameters() + config.vocab_size * config.hidden_size,
            small_config().num_parameters());
}

TEST(Model, RandomWeightsFollowFromSeedAndNameAlone) {
  ModelConfig deeper = small_config();
  deeper.num_hidden_layers = 3;
  const Model model = Model::random(small_config(), 1), larger = Model::random(deeper, 1),
              other = Model::random(small_config(), 2);
  std::map<std::string, at::Tensor> in_larger;
  for (const auto& [name, tensor] : larger.parameters()) in_larger[name] = tensor;
  for (const auto& [name, tensor] : model.parameters())
    EXPECT_TRUE(same_bits(tensor, in_larger.at(name))) << name;
  const at::Tensor& embedding = model.parameters().front().second;
  EXPECT_FALSE(same_bits(embedding, other.parameters().front().second));
  EXPECT_NEAR(embedding.std().item<double>(), 0.02, 0.002);  // 1,464 values: 5 standard errors
  EXPECT_TRUE(in_larger.at("model.norm.weight").equal(at::ones({24})));
  EXPECT_TRUE(in_larger.at("model.layers.0.self_attn.q_proj.bias").equal(at::zeros({24})));
}

TEST(Model, CloneOwnsItsWeights) {
  const Model model = small_model();
  const Model copy = model.clone();
  const at::Tensor before = model.hidden(pack_tokens({some_tokens(6, 1)}));
  EXPECT_TRUE(same_bits(copy.hidden(pack_tokens({some_tokens(6, 1)})), before));
  copy.parameters().front().second.fill_(1);
  EXPECT_TRUE(same_bits(model.hidden(pack_tokens({some_tokens(6, 1)})), before));
}

TEST(Model, CopyFromConvertsTheType) {
  const Model source = small_model();
  Model target = small_model(DType::kBFloat16);
  target.parameters().front().second.fill_(3);
  target.copy_from(source);
  for (size_t i = 0; i < source.parameters().size(); ++i)
    EXPECT_TRUE(
        same_bits(target.parameters()[i].second, source.parameters()[i].second.to(at::kBFloat16)));
}

TEST(Model, RefusesWeightsThatDoNotFit) {
  const std::string name = "model.layers.1.mlp.down_proj.weight";
  auto tensors = small_weights(small_config());
  tensors.erase(name);
  EXPECT_NE(refusal(tensors).find(name), std::string::npos);

  tensors = small_weights(small_config());
  tensors[name] = tensors[name].t();
  const std::string misshapen = refusal(tensors);
  EXPECT_NE(misshapen.find(name), std::string::npos);
  EXPECT_NE(misshapen.find("[44, 24]"), std::string::npos);
  EXPECT_NE(misshapen.find("[24, 44]"), std::string::npos);

  tensors = small_weights(small_config());
  tensors["model.layers.0.router.weight"] = at::ones({2});
  EXPECT_NE(refusal(tensors).find("router"), std::string::npos);

  tensors = small_weights(small_config());
  tensors[name] = tensors[name].to(at::kInt);
  EXPECT_NE(refusal(tensors).find(name), std::string::npos);
}

TEST(Model, RefusesWeightsThatAreNotFinite) {
  const std::string name = "model.layers.0.self_attn.k_proj.weight";
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    for (const float value :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
          -std::numeric_limits<float>::infinity()}) {
      for (const int64_t row : {0, 11}) {
        auto tensors = small_weights(small_config());
        tensors[name] = tensors[name].to(type);
        tensors[name][row][3].fill_(value);
        EXPECT_NE(refusal(tensors).find(name), std::string::npos) << type << " " << value;
      }
    }
  }
}

TEST(Model, ToleratesTensorsThatFollowFromTheConfig) {
  ModelConfig config = small_config();
  config.tie_word_embeddings = true;
  auto tensors = small_weights(small_config());  // with a head of its own
  tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = at::ones({3});
  const Model model(config, std::move(tensors), DType::kFloat32, "test");
  EXPECT_EQ(model.parameters().back().first, "model.norm.weight");
}

TEST(Model, RefusesTokensOutsideTheVocabulary) {
  const Model model = small_model();
  for (const int64_t token : {int64_t{-1}, small_config().vocab_size})
    EXPECT_THROW(model.hidden(pack_tokens({{1, token}})), Error);
}

TEST(RopeTable, GrowingChangesNoEntry) {
  RopeTable grown(small_config()), whole(small_config());
  const RopeTable::Tables small = grown.at_least(3, at::kCPU);
  const RopeTable::Tables large = grown.at_least(5000, at::kCPU),
                          reference = whole.at_least(5000, at::kCPU);
  EXPECT_TRUE(same_bits(small.cos_Pd, large.cos_Pd.slice(0, 0, small.cos_Pd.size(0))));
  EXPECT_TRUE(same_bits(large.sin_Pd.slice(0, 0, 5000), reference.sin_Pd.slice(0, 0, 5000)));
  EXPECT_TRUE(large.cos_Pd[0].equal(at::ones({3})));
}

TEST(RopeTable, LlamaScalingDividesLowFrequenciesOnly) {
  ModelConfig config = small_config();
  config.head_dim = 32;
  config.rope_theta = 500000;
  const at::Tensor plain = rope_inverse_frequencies(config);
  config.rope_scaling = RopeScaling{32, 1, 4, 64};
  const at::Tensor scaled = rope_inverse_frequencies(config);
  constexpr double kPi = 3.14159265358979323846;
  for (int64_t i = 0; i < 16; ++i) {
    const double frequency = plain[i].item<double>(), wavelength = 2 * kPi / frequency;
    const double smooth = (64 / wavelength - 1) / (4 - 1);
    double wanted = (1 - smooth) * frequency / 32 + smooth * frequency;
    if (wavelength < 64.0 / 4) wanted = frequency;
    if (wavelength > 64.0) wanted = frequency / 32;
    EXPECT_NEAR(scaled[i].item<double>(), wanted, 4e-7 * frequency) << i;
  }
}

}  // namespace
}  // namespace covrl
