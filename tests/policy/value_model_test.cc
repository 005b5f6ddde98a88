#include "policy/value_model.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/support/torch/tiny_model.h"

namespace covrl {
namespace {

using testing::tiny_model;

at::Tensor parameter(const ValueModel& model, const std::string& wanted) {
  for (const auto& [name, tensor] : model.parameters())
    if (name == wanted) return tensor;
  ADD_FAILURE() << wanted << " is not among the parameters";
  return {};
}

TEST(ValueModelTest, IsZeroAtFirstAndAnAffineFunctionOfTheHiddenState) {
  const Model policy = tiny_model(3);
  const ValueModel model(policy);
  const PackedTokens batch = pack_tokens({{1, 2, 3, 4}, {9, 8}});
  const at::Tensor rows = at::tensor({5, 0, 2}, at::kLong);
  EXPECT_TRUE(model.values(batch, rows).equal(at::zeros({3})));
  const at::Tensor weight = parameter(model, "score.weight"), bias = parameter(model, "score.bias");
  weight.copy_(at::arange(16, at::kFloat).view({1, 16}));
  bias.fill_(7);
  const at::Tensor wanted =
      at::linear(policy.hidden(batch).index_select(0, rows), weight, bias).squeeze(1);
  EXPECT_TRUE(at::allclose(model.values(batch, rows), wanted, 1e-6, 1e-5));
}

TEST(ValueModelTest, OwnsItsWeights) {
  const Model policy = tiny_model(3);
  const Model before = policy.clone();
  const ValueModel model(policy);
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : model.parameters()) tensor.detach().add_(1);
  for (size_t i = 0; i < policy.parameters().size(); ++i)
    EXPECT_TRUE(policy.parameters()[i].second.equal(before.parameters()[i].second));
}

TEST(ValueModelTest, LeavesOutAnOutputHeadOfItsOwn) {
  ModelConfig config = tiny_model(3).config();
  const size_t with_tied_head = ValueModel(tiny_model(3)).parameters().size();
  config.tie_word_embeddings = false;
  const Model untied = Model::random(config, 3);
  const ValueModel model(untied);
  EXPECT_EQ(model.parameters().size(), with_tied_head);
  EXPECT_EQ(model.parameters().front().first, "model.embed_tokens.weight");
  EXPECT_EQ(model.parameters().back().first, "score.bias");
}

}  // namespace
}  // namespace covrl
