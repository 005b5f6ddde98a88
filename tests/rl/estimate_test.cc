#include "rl/estimate.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "rl/greedy_baseline.h"

namespace covrl {
namespace {

Trajectory trajectory_of(size_t length, double reward, FinishReason reason = FinishReason::kStop) {
  Trajectory trajectory;
  trajectory.tokens.assign(length, 5);
  trajectory.behaviour_logprob.assign(length, -1.0f);
  trajectory.finish_reason = reason;
  trajectory.verdict.outcome = reward > 0 ? Outcome::kCorrect : Outcome::kWrong;
  trajectory.reward = reward;
  return trajectory;
}

Group group_of(uint64_t slot, std::vector<Trajectory> trajectories) {
  Group group;
  group.slot = slot;
  group.prompt.tokens = {1, 2};
  group.trajectories = std::move(trajectories);
  return group;
}

// Scored with old log-probs of -1 and reference log-probs of `ref`; NaN outside the loss mask.
Batch scored(const std::vector<Group>& groups, double ref = -1) {
  Batch batch = Batch::pack(1, groups);
  const at::Tensor nan_T = at::full({batch.num_tokens()}, std::nan(""), at::kFloat);
  batch.old_logprob_T.set(at::where(batch.loss_mask_T, at::full_like(nan_T, -1), nan_T));
  batch.ref_logprob_T.set(at::where(batch.loss_mask_T, at::full_like(nan_T, ref), nan_T));
  return batch;
}

std::vector<double> masked(const Batch& batch, const at::Tensor& values_T) {
  const at::Tensor picked = values_T.masked_select(batch.loss_mask_T).to(at::kDouble);
  return {picked.const_data_ptr<double>(), picked.const_data_ptr<double>() + picked.numel()};
}

std::unique_ptr<AdvantageEstimator> make(const std::string& name) {
  return make_advantage({.adv_estimator = name});
}

TEST(EstimateTest, KlIsTakenOffTheRewardOfEachToken) {
  Batch batch = scored({group_of(0, {trajectory_of(2, 1), trajectory_of(3, 0)}),
                        group_of(1, {trajectory_of(2, 1, FinishReason::kFailed)})},
                       -1.5);
  RewardKlConfig config;
  config.use_kl_in_reward = true;
  config.kl_ctrl = {.type = "adaptive", .kl_coef = 0.1, .target_kl = 0.4, .horizon = 10};
  RewardKl reward_kl(config);
  Metrics metrics;
  estimate_advantages(batch, *make("reinforce_plus_plus"), reward_kl, Truncated::kLearned, metrics);
  const std::vector<double> returns = masked(batch, batch.return_T.get());
  const std::vector<double> wanted = {0.9, 0.95, -0.15, -0.1, -0.05};
  ASSERT_EQ(returns.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(returns[i], wanted[i], 1e-6);
  EXPECT_DOUBLE_EQ(metrics.at("actor/reward_kl_penalty"), 0.5);
  EXPECT_DOUBLE_EQ(metrics.at("actor/reward_kl_penalty_coeff"), 0.1);
  EXPECT_DOUBLE_EQ(metrics.at("critic/score/mean"), 0.5);
  EXPECT_NEAR(metrics.at("critic/rewards/mean"), 0.5 - 0.1 * 0.5 * 2.5, 1e-12);
  // The two completions that take part move the coefficient: 0.1 * (1 + 0.2 * 2 / 10).
  EXPECT_DOUBLE_EQ(reward_kl.state().at("reward_kl_coef"), 0.104);
  RewardKl resumed(config);
  resumed.load_state(reward_kl.state());
  EXPECT_EQ(resumed.state(), reward_kl.state());
}

TEST(EstimateTest, WithoutKlInRewardNoReferenceIsRead) {
  Batch batch = Batch::pack(1, {group_of(0, {trajectory_of(2, 1), trajectory_of(2, 0)})});
  RewardKl reward_kl{RewardKlConfig()};
  Metrics metrics;
  estimate_advantages(batch, *make("grpo"), reward_kl, Truncated::kLearned, metrics);
  EXPECT_TRUE(reward_kl.state().empty());
  EXPECT_EQ(metrics.find("actor/reward_kl_penalty"), nullptr);
}

TEST(EstimateTest, LeftOutTruncatedCompletionsStillCountInTheirGroup) {
  const std::vector<Group> groups = {
      group_of(0, {trajectory_of(2, 1), trajectory_of(3, 0, FinishReason::kLength)})};
  RewardKl reward_kl{RewardKlConfig()};
  Metrics metrics;
  Batch all = scored(groups), filtered = scored(groups);
  estimate_advantages(all, *make("dr_grpo"), reward_kl, Truncated::kLearned, metrics);
  estimate_advantages(filtered, *make("dr_grpo"), reward_kl, Truncated::kLeftOut, metrics);
  EXPECT_EQ(masked(all, all.advantage_T.get()), (std::vector<double>{0.5, 0.5, -0.5, -0.5, -0.5}));
  EXPECT_EQ(masked(filtered, filtered.advantage_T.get()), (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(filtered.advantage_T.get().sum().item<double>(), 1);  // 0 outside the mask
  EXPECT_EQ(metrics.at("critic/score/mean"), 0.5);
}

// Two copies, one solved by all its samples and one by none: alone neither teaches, merged both do.
TEST(EstimateTest, MergedCopiesAreComparedWithEachOther) {
  std::vector<Group> groups = {group_of(0, {trajectory_of(2, 1), trajectory_of(2, 1)}),
                               group_of(1, {trajectory_of(2, 0), trajectory_of(2, 0)})};
  RewardKl reward_kl({});
  Metrics metrics;
  Batch alone = scored(groups);
  estimate_advantages(alone, *make("dr_grpo"), reward_kl, Truncated::kLearned, metrics);
  EXPECT_EQ(masked(alone, alone.advantage_T.get()), std::vector<double>(8, 0));
  merge_copies(groups);
  Batch merged = scored(groups);
  estimate_advantages(merged, *make("dr_grpo"), reward_kl, Truncated::kLearned, metrics);
  EXPECT_EQ(masked(merged, merged.advantage_T.get()),
            (std::vector<double>{0.5, 0.5, 0.5, 0.5, -0.5, -0.5, -0.5, -0.5}));
}

TEST(EstimateTest, AFailedBaselineTakesItsGroupOut) {
  Batch batch = scored({group_of(3, {trajectory_of(2, 1), trajectory_of(1, 0)}),
                        group_of(8, {trajectory_of(2, 1), trajectory_of(1, 0)})});
  Metrics metrics;
  add_greedy_baselines(batch,
                       {group_of(3, {trajectory_of(4, 1)}),
                        group_of(8, {trajectory_of(4, 1, FinishReason::kFailed)})},
                       metrics);
  EXPECT_EQ(metrics.at("critic/baseline/failed"), 1);
  EXPECT_EQ(metrics.at("critic/baseline/mean"), 1);
  RewardKl reward_kl{RewardKlConfig()};
  estimate_advantages(batch, *make("remax"), reward_kl, Truncated::kLearned, metrics);
  EXPECT_EQ(masked(batch, batch.advantage_T.get()), (std::vector<double>{0, 0, -1}));
  EXPECT_EQ(batch.usable, (std::vector<bool>{true, true, false, false}));
}

TEST(EstimateTest, ABatchWhereEverythingFailedHasNoAdvantage) {
  const Trajectory failed = trajectory_of(2, 1, FinishReason::kFailed);
  for (const std::string& name : advantage_names()) {
    Batch batch = scored({group_of(0, {failed, failed})});
    batch.value_T.set(at::zeros({batch.num_tokens()}));
    Metrics metrics;
    add_greedy_baselines(batch, {group_of(0, {failed})}, metrics);
    RewardKl reward_kl{RewardKlConfig()};
    estimate_advantages(batch, *make(name), reward_kl, Truncated::kLeftOut, metrics);
    EXPECT_TRUE(at::equal(batch.advantage_T.get(), at::zeros({batch.num_tokens()}))) << name;
  }
}

}  // namespace
}  // namespace covrl
