// A whole step of learning with the model on a device, held against the CPU; reference ops on both
// sides: the same bits.
#include <gtest/gtest.h>

#include "kernels/mode.h"
#include "rl/learner.h"
#include "rl/optimizer.h"
#include "tests/support/torch/batches.h"
#include "tests/support/torch/fake_device.h"
#include "tests/support/torch/tiny_model.h"

namespace covrl {
namespace {

Batch make_batch() {
  Group group;
  group.prompt.tokens = {1, 2};
  for (const std::vector<int64_t>& tokens :
       std::vector<std::vector<int64_t>>{{3, 4, 5}, {6}, {7, 8}}) {
    Trajectory& trajectory = group.trajectories.emplace_back();
    trajectory.tokens = tokens;
    trajectory.behaviour_logprob.assign(tokens.size(), -1);
    trajectory.finish_reason = FinishReason::kStop;
    trajectory.verdict.outcome = Outcome::kWrong;
  }
  Batch batch = Batch::pack(1, {group});
  batch.advantage_T.set(testing::broadcast(batch, {1, -0.5, 0.25}));
  return batch;
}

std::vector<at::Tensor> learn(at::Device device) {
  Model policy = testing::tiny_model(5), reference = testing::tiny_model(6);
  policy.move_to(device);
  reference.move_to(device);
  LearnerConfig config;
  config.kl_loss_coef = 0.05;
  config.entropy_control = {.kind = {"bonus"}, .entropy_coeff = 0.02};
  config.ppo_epochs = 2;
  config.optim.lr = 1e-3;
  const auto comm = make_self_communicator();
  Learner learner(config, policy, &reference, *comm, /*temperature=*/0.7, /*seed=*/1,
                  /*total_updates=*/10,
                  /*max_response_length=*/3);
  Batch batch = make_batch();
  learner.score(batch);
  learner.update(batch);
  std::vector<at::Tensor> result = {batch.old_logprob_T.get(), batch.ref_logprob_T.get()};
  for (const auto& [name, parameter] : policy.parameters()) {
    EXPECT_EQ(parameter.device(), device);
    result.push_back(parameter.detach().cpu());
  }
  return result;
}

TEST(LearnerDeviceTest, AStepIsThatOfTheCpu) {
  kernels::set_mode(kernels::Mode::kReference);
  const std::vector<at::Tensor> expected = learn(at::kCPU), seen = learn(testing::fake_device());
  kernels::set_mode(kernels::Mode::kFast);
  ASSERT_EQ(seen.size(), expected.size());
  // Adam divides small gradients by their own size, which magnifies their rounding.
  for (size_t i = 0; i < seen.size(); ++i)
    EXPECT_LE((seen[i] - expected[i]).abs().max().item<double>(), 1e-5) << i;
}

}  // namespace
}  // namespace covrl
