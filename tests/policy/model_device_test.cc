// A model that lives on a device, held against the same model on the CPU. Both run the reference
// ops, so the bits are equal.
#include <gtest/gtest.h>

#include "kernels/mode.h"
#include "policy/kv_cache.h"
#include "tests/support/torch/fake_device.h"
#include "tests/support/torch/tiny_model.h"

namespace covrl {
namespace {

class ModelDeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    kernels::set_mode(kernels::Mode::kReference);
    there_.move_to(testing::fake_device());
  }
  void TearDown() override { kernels::set_mode(kernels::Mode::kFast); }

  Model here_ = testing::tiny_model(3);
  Model there_ = testing::tiny_model(3);
  PackedTokens batch_ = pack_tokens({{5, 1, 36, 7}, {2}, {9, 9, 4}});
};

TEST_F(ModelDeviceTest, EveryParameterMoves) {
  EXPECT_EQ(there_.device(), testing::fake_device());
  for (const auto& [name, parameter] : there_.parameters())
    EXPECT_EQ(parameter.device(), testing::fake_device()) << name;
  EXPECT_EQ(there_.head().device(), testing::fake_device());
}

TEST_F(ModelDeviceTest, ScoresAreOnTheHostAndTheSame) {
  const at::NoGradGuard no_grad;
  const PackedScores expected = score(here_, batch_, 0.7), seen = score(there_, batch_, 0.7);
  ASSERT_TRUE(seen.logprob_T.is_cpu() && seen.entropy_T.is_cpu());
  EXPECT_TRUE(seen.logprob_T.equal(expected.logprob_T));
  EXPECT_TRUE(seen.entropy_T.equal(expected.entropy_T));
}

TEST_F(ModelDeviceTest, GradientsAreTheSame) {
  const at::Tensor rows = at::tensor({0, 2, 6}, at::kLong),
                   targets = at::tensor({1, 7, 4}, at::kLong);
  for (Model* model : {&here_, &there_}) {
    model->set_requires_grad(true);
    score_rows(*model, batch_, rows, targets, 1).logprob_T.sum().backward();
  }
  for (size_t i = 0; i < here_.parameters().size(); ++i) {
    const auto& [name, parameter] = there_.parameters()[i];
    ASSERT_EQ(parameter.grad().device(), testing::fake_device()) << name;
    // The device's backward pass may add in another order than the CPU's: float32 rounding apart.
    const at::Tensor seen = parameter.grad().cpu(), wanted = here_.parameters()[i].second.grad();
    EXPECT_LE((seen - wanted).abs().max().item<double>(), 1e-6 * wanted.abs().max().item<double>())
        << name;
  }
}

TEST_F(ModelDeviceTest, DecodingThroughTheCacheIsTheSame) {
  std::vector<at::Tensor> results;
  for (const Model* model : {&here_, &there_}) {
    KvCache cache(model->config(), model->dtype(), /*num_tokens=*/8, model->device());
    const std::vector<int64_t> sequences = {cache.add_sequence(), cache.add_sequence(),
                                            cache.add_sequence()};
    model->prefill(batch_, sequences, cache);
    const int64_t fork = cache.fork(sequences[0]);
    const at::Tensor next = model->decode({3, 8}, {sequences[0], fork}, cache);
    const at::Tensor more =
        model->prefill(pack_tokens({{1, 2}}), {fork}, cache);  // into a cache that is not empty
    results.push_back(at::cat({next, more}).cpu());
  }
  EXPECT_TRUE(results[1].equal(results[0]));
}

TEST_F(ModelDeviceTest, CopiesCrossDevices) {
  Model other = testing::tiny_model(4);
  other.copy_from(there_);
  const Model clone = there_.clone();
  EXPECT_EQ(clone.device(), testing::fake_device());
  for (size_t i = 0; i < here_.parameters().size(); ++i) {
    EXPECT_TRUE(other.parameters()[i].second.equal(here_.parameters()[i].second));
    EXPECT_TRUE(clone.parameters()[i].second.cpu().equal(here_.parameters()[i].second));
  }
}

}  // namespace
}  // namespace covrl
