#include <gtest/gtest.h>

#include <map>

#include "kernels/mode.h"
#include "rollout/engine.h"
#include "tests/support/torch/fake_device.h"
#include "tests/support/torch/tiny_model.h"

namespace covrl {
namespace {

std::map<std::pair<size_t, int64_t>, Trajectory> sample(const Model& model) {
  std::map<std::pair<size_t, int64_t>, Trajectory> result;
  SamplingParams params;
  params.filter.top_p = 0.95;
  params.max_new_tokens = 20;
  params.stop_token_ids = {7};
  const std::vector<SampleRequest> requests = {{{1, 2, 3}, 0, 0, 3, 0}, {{4}, 0, 1, 2, 0}};
  Engine(model, {/*max_batch=*/3})
      .generate(requests, params, [&](size_t request, int64_t sample, Trajectory&& done) {
        result[{request, sample}] = std::move(done);
      });
  return result;
}

// Reference ops on both sides: the same bits.
TEST(EngineDeviceTest, SamplesAreThoseOfTheCpu) {
  kernels::set_mode(kernels::Mode::kReference);
  Model there = testing::tiny_model(3);
  there.move_to(testing::fake_device());
  const auto expected = sample(testing::tiny_model(3)), seen = sample(there);
  kernels::set_mode(kernels::Mode::kFast);
  ASSERT_EQ(expected.size(), 5u);
  ASSERT_EQ(seen.size(), 5u);
  for (const auto& [place, trajectory] : expected) {
    EXPECT_EQ(seen.at(place).tokens, trajectory.tokens);
    EXPECT_EQ(seen.at(place).behaviour_logprob, trajectory.behaviour_logprob);
  }
}

}  // namespace
}  // namespace covrl
