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

LearnerConfig config_of(const std::string& kind) {
  LearnerConfig config;
  config.ppo_epochs = 2;
  config.optim.lr = 1e-3;
  if (kind == "bonus and KL") {
    config.kl_loss_coef = 0.05;
    config.entropy_control = {.kind = {"bonus"}, .entropy_coeff = 0.02};
  } else if (kind == "KL-Cov") {
    config.policy_loss.kind = "unclipped";
    config.entropy_control = {.kind = {"kl_cov"}, .kl_cov_ratio = 0.5, .kl_cov_penalty = "k2"};
  } else {  // has no fused form
    config.policy_loss.kind = "gspo";
    config.loss_agg_mode = "seq-mean-token-mean";
  }
  return config;
}

std::vector<at::Tensor> learn(const std::string& kind, at::Device device) {
  Model policy = testing::tiny_model(5), reference = testing::tiny_model(6);
  policy.move_to(device);
  reference.move_to(device);
  const auto comm = make_self_communicator();
  Learner learner(config_of(kind), policy, &reference, *comm, /*temperature=*/0.7, /*seed=*/1,
                  /*total_updates=*/10,
                  /*max_response_length=*/3);
  Batch batch = make_batch();
  batch.rollout_weight_T.set(testing::broadcast(batch, {0.5, 1, 2}));
  learner.score(batch);
  const Metrics metrics = learner.update(batch);
  std::vector<at::Tensor> result = {batch.old_logprob_T.get(), batch.ref_logprob_T.get()};
  for (const char* name : {"actor/loss", "actor/pg_loss", "actor/entropy", "actor/ppo_kl"})
    result.push_back(at::scalar_tensor(metrics.at(name), at::kDouble));
  for (const auto& [name, parameter] : policy.parameters()) {
    EXPECT_EQ(parameter.device(), device);
    result.push_back(parameter.detach().cpu());
  }
  return result;
}

class LearnerDeviceTest : public ::testing::TestWithParam<const char*> {};

TEST_P(LearnerDeviceTest, AStepIsThatOfTheCpu) {
  kernels::set_mode(kernels::Mode::kReference);
  const std::vector<at::Tensor> expected = learn(GetParam(), at::kCPU),
                                seen = learn(GetParam(), testing::fake_device());
  kernels::set_mode(kernels::Mode::kFast);
  ASSERT_EQ(seen.size(), expected.size());
  // Adam divides small gradients by their own size, which magnifies their rounding.
  for (size_t i = 0; i < seen.size(); ++i)
    EXPECT_LE((seen[i] - expected[i]).abs().max().item<double>(), 1e-5) << i;
}

INSTANTIATE_TEST_SUITE_P(Losses, LearnerDeviceTest,
                         ::testing::Values("bonus and KL", "KL-Cov", "GSPO"));

}  // namespace
}  // namespace covrl
