#include "rollout/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "core/error.h"
#include "policy/model.h"
#include "tests/support/torch/tiny_model.h"

namespace covrl {
namespace {

ModelConfig small_config() {
  return testing::tiny_config({.vocab = 61, .hidden = 32, .intermediate = 48, .positions = 256});
}

// Sharper than the initialisation, so that log-probs differ from row to row.
Model sharp_model() {
  Model model = Model::random(small_config(), 7);
  for (const auto& [name, tensor] : model.parameters())
    tensor.mul_(name.find("norm") == std::string::npos ? 6 : 1);
  return model;
}

std::vector<SampleRequest> requests() {
  std::vector<SampleRequest> result;
  for (uint64_t slot = 0; slot < 5; ++slot) {
    SampleRequest request;
    // Lengths around a page of the cache.
    for (uint64_t i = 0; i < 3 + 7 * slot; ++i)
      request.prompt.push_back(static_cast<int64_t>((11 * i + slot) % 61));
    request.step = 3;
    request.slot = slot;
    request.num_samples = 4;
    result.push_back(request);
  }
  return result;
}

SamplingParams params() {
  SamplingParams result;
  result.max_new_tokens = 20;
  result.stop_token_ids = {5, 6, 7};
  result.seed = 99;
  return result;
}

// By (slot, sample): independent of the order in which samples finish.
using Samples = std::map<std::pair<uint64_t, int64_t>, Trajectory>;

Samples generate(const Model& model, const std::vector<SampleRequest>& wanted, int64_t max_batch,
                 const SamplingParams& sampling = params()) {
  Samples samples;
  Engine(model, {max_batch})
      .generate(wanted, sampling, [&](size_t request, int64_t sample, Trajectory&& trajectory) {
        const bool is_new =
            samples.try_emplace({wanted[request].slot, sample}, std::move(trajectory)).second;
        EXPECT_TRUE(is_new) << "sample " << sample << " was reported twice";
      });
  return samples;
}

std::vector<uint32_t> bits(const std::vector<float>& values) {
  std::vector<uint32_t> result;
  for (const float value : values) result.push_back(std::bit_cast<uint32_t>(value));
  return result;
}

void expect_same(const Samples& a, const Samples& b, const char* what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (const auto& [id, trajectory] : a) {
    const Trajectory& other = b.at(id);
    EXPECT_EQ(trajectory.tokens, other.tokens)
        << what << ", slot " << id.first << " sample " << id.second;
    EXPECT_EQ(bits(trajectory.behaviour_logprob), bits(other.behaviour_logprob)) << what;
    EXPECT_EQ(bits(trajectory.entropy), bits(other.entropy)) << what;
    EXPECT_EQ(trajectory.finish_reason, other.finish_reason) << what;
  }
}

TEST(Engine, ResultsDoNotDependOnBatching) {
  const Model model = sharp_model();
  const Samples all = generate(model, requests(), 64);
  ASSERT_EQ(all.size(), 20u);
  expect_same(all, generate(model, requests(), 1), "max_batch 1");
  expect_same(all, generate(model, requests(), 3), "max_batch 3");
  std::vector<SampleRequest> reversed = requests();
  std::reverse(reversed.begin(), reversed.end());
  expect_same(all, generate(model, reversed, 7), "another order");
}

TEST(Engine, SamplesOfARequestMayBeDrawnInSeveralCalls) {
  const Model model = sharp_model();
  std::vector<SampleRequest> first = requests(), second = requests();
  for (SampleRequest& request : first) request.num_samples = 1;
  for (SampleRequest& request : second) request.num_samples = 3, request.first_sample = 1;
  Samples parts = generate(model, first, 8);
  parts.merge(generate(model, second, 8));
  expect_same(generate(model, requests(), 8), parts, "two calls");
}

TEST(Engine, SamplesOfARequestDiffer) {
  const Samples samples = generate(sharp_model(), requests(), 8);
  EXPECT_NE(samples.at({4, 0}).tokens, samples.at({4, 1}).tokens);
  std::vector<SampleRequest> next_step = requests();
  for (SampleRequest& request : next_step) request.step = 4;
  EXPECT_NE(generate(sharp_model(), next_step, 8).at({4, 0}).tokens, samples.at({4, 0}).tokens);
}

TEST(Engine, StopTokensEndASampleAndAreKept) {
  const SamplingParams sampling = params();
  int64_t num_stopped = 0, num_cut = 0;
  for (const auto& [id, trajectory] : generate(sharp_model(), requests(), 8)) {
    const std::vector<int64_t>& tokens = trajectory.tokens;
    ASSERT_FALSE(tokens.empty());
    EXPECT_EQ(trajectory.behaviour_logprob.size(), tokens.size());
    EXPECT_EQ(trajectory.entropy.size(), tokens.size());
    const auto is_stop = [](int64_t token) { return token >= 5 && token <= 7; };
    EXPECT_TRUE(std::none_of(tokens.begin(), tokens.end() - 1, is_stop));
    const bool stopped = is_stop(tokens.back());
    EXPECT_EQ(trajectory.finish_reason, stopped ? FinishReason::kStop : FinishReason::kLength);
    if (!stopped) {
      EXPECT_EQ(static_cast<int64_t>(tokens.size()), sampling.max_new_tokens);
    }
    num_stopped += stopped;
    num_cut += !stopped;
  }
  EXPECT_GT(num_stopped, 0);
  EXPECT_GT(num_cut, 0);
}

Model in_type(const Model& model, DType dtype) {
  std::map<std::string, at::Tensor> weights;
  for (const auto& [name, tensor] : model.parameters()) weights.emplace(name, tensor);
  return Model(small_config(), weights, dtype, "test");
}

class EngineTypes : public ::testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(Types, EngineTypes, ::testing::Values(DType::kFloat32, DType::kBFloat16));

// The sampler's log-probs are those of scoring the finished sequence.
TEST_P(EngineTypes, LogprobsAreThoseOfScoring) {
  const Model model = in_type(sharp_model(), GetParam());
  SamplingParams sampling = params();
  sampling.filter.temperature = 0.7;
  const std::vector<SampleRequest> wanted = requests();
  for (const auto& [id, trajectory] : generate(model, wanted, 8, sampling)) {
    std::vector<int64_t> sequence = wanted[id.first].prompt;
    const size_t first = sequence.size() - 1;
    sequence.insert(sequence.end(), trajectory.tokens.begin(), trajectory.tokens.end());
    const PackedScores scores = score(model, pack_tokens({sequence}), 0.7);
    for (size_t i = 0; i < trajectory.tokens.size(); ++i) {
      const auto place = static_cast<int64_t>(first + i);
      EXPECT_NEAR(trajectory.behaviour_logprob[i], scores.logprob_T[place].item<float>(), 2e-5);
      EXPECT_NEAR(trajectory.entropy[i], scores.entropy_T[place].item<float>(), 2e-5);
    }
  }
}

TEST(Engine, GreedyTakesTheLikeliestToken) {
  const Model model = sharp_model();
  SamplingParams sampling = params();
  sampling.filter.temperature = 0;
  std::vector<SampleRequest> wanted = requests();
  for (SampleRequest& request : wanted) request.num_samples = 2;
  const Samples samples = generate(model, wanted, 8, sampling);
  for (const SampleRequest& request : wanted) {
    const std::vector<int64_t>& tokens = samples.at({request.slot, 0}).tokens;
    EXPECT_EQ(tokens, samples.at({request.slot, 1}).tokens);
    const at::Tensor hidden_TD = model.hidden(pack_tokens({request.prompt}));
    const at::Tensor logits_V = hidden_TD[-1].matmul(model.head().t());
    EXPECT_EQ(tokens[0], logits_V.argmax().item<int64_t>());
  }
}

TEST(Engine, WeightsMayRequireGradients) {
  Model model = sharp_model();
  const Samples without = generate(model, requests(), 8);
  model.set_requires_grad(true);
  expect_same(without, generate(model, requests(), 8), "gradients required");
}

TEST(Engine, NonFiniteLogitsFailTheSampleOnly) {
  Model model = sharp_model();
  // One prompt contains the token whose embedding is broken, and the head is another matrix.
  ModelConfig config = small_config();
  config.tie_word_embeddings = false;
  model = Model::random(config, 7);
  for (const auto& [name, tensor] : model.parameters())
    if (name.find("embed_tokens") != std::string::npos)
      tensor[60].fill_(std::numeric_limits<float>::quiet_NaN());
  std::vector<SampleRequest> wanted = requests();
  for (SampleRequest& request : wanted)
    std::replace(request.prompt.begin(), request.prompt.end(), 60, 1);
  wanted[2].prompt[0] = 60;
  SamplingParams sampling = params();
  sampling.max_new_tokens = 2;
  const Samples samples = generate(model, wanted, 8, sampling);
  ASSERT_EQ(samples.size(), 20u);
  for (const auto& [id, trajectory] : samples) {
    if (id.first == 2) {
      EXPECT_EQ(trajectory.finish_reason, FinishReason::kFailed);
      EXPECT_TRUE(trajectory.tokens.empty());
    } else if (trajectory.tokens[0] != 60) {
      EXPECT_NE(trajectory.finish_reason, FinishReason::kFailed);
    }
  }
}

TEST(Engine, ImpossibleRequestsAreRefused) {
  const Model model = sharp_model();
  std::vector<SampleRequest> wanted = requests();
  wanted[1].prompt.clear();
  EXPECT_THROW(generate(model, wanted, 8), Error);
  SamplingParams sampling = params();
  sampling.max_new_tokens = 0;
  EXPECT_THROW(generate(model, requests(), 8, sampling), Error);
}

}  // namespace
}  // namespace covrl
