#include "rl/overlong.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <iostream>

#include "core/error.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

Trajectory trajectory_of(size_t length, FinishReason reason) {
  Trajectory trajectory;
  trajectory.tokens.assign(length, 5);
  trajectory.behaviour_logprob.assign(length, -1.0f);
  trajectory.finish_reason = reason;
  trajectory.verdict.outcome = Outcome::kCorrect;
  trajectory.reward = 1;
  return trajectory;
}

Group group_of(std::vector<Trajectory> trajectories) {
  Group group;
  group.prompt.tokens = {1, 2};
  group.trajectories = std::move(trajectories);
  return group;
}

TEST(OverlongTest, EqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "dapo_pieces");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    if (one_case["kind"] != "overlong") continue;
    const OverlongBufferConfig config{.enable = true,
                                      .len = one_case["buffer"].get<int64_t>(),
                                      .penalty_factor = one_case["penalty"].get<double>()};
    for (size_t i = 0; i < one_case["lengths"].size(); ++i)
      testing::expect_close(overlong_penalty(config, one_case["max_resp_len"].get<int64_t>(),
                                             one_case["lengths"][i].get<int64_t>()),
                            one_case["reward"][i].get<double>(), {}, concat("length ", i));
    ++num_checked;
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "dapo_pieces overlong: " << num_checked << " cases checked\n";
}

TEST(OverlongTest, OnlyUsableTrajectoriesArePenalised) {
  const OverlongBufferConfig config{.enable = true, .len = 4, .penalty_factor = 0.5};
  std::vector<Group> groups = {group_of(
      {trajectory_of(5, FinishReason::kStop), trajectory_of(8, FinishReason::kLength),
       trajectory_of(8, FinishReason::kFailed), trajectory_of(10, FinishReason::kLength)})};
  shape_overlong(config, /*max_length=*/10, groups);
  std::vector<double> rewards;
  for (const Trajectory& trajectory : groups[0].trajectories) rewards.push_back(trajectory.reward);
  EXPECT_EQ(rewards, (std::vector<double>{1, 0.75, 1, 0.5}));
  Metrics metrics;
  add_overlong_metrics(config, 10, groups, metrics);
  EXPECT_DOUBLE_EQ(metrics.at("overlong/penalty"), -0.25);
  EXPECT_DOUBLE_EQ(metrics.at("overlong/share"), 2.0 / 3);
}

TEST(OverlongTest, WhatWasCutOffLeavesTheLossMask) {
  Batch batch = Batch::pack(
      1, {group_of({trajectory_of(2, FinishReason::kStop), trajectory_of(3, FinishReason::kLength),
                    trajectory_of(3, FinishReason::kFailed)})});
  Metrics metrics;
  leave_out_truncated(batch, metrics);
  EXPECT_EQ(metrics.at("overlong/filtered"), 1);
  EXPECT_EQ(batch.loss_mask_T.sum().item<int64_t>(), 2);
  EXPECT_TRUE(batch.loss_mask_T[1].item<bool>() && batch.loss_mask_T[2].item<bool>());
}

}  // namespace
}  // namespace covrl
