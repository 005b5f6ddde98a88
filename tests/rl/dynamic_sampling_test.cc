#include "rl/dynamic_sampling.h"

#include <gtest/gtest.h>

#include <iostream>

#include "core/error.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

Group group_of(const std::vector<double>& scores) {
  Group group;
  for (double score : scores) {
    Trajectory trajectory;
    trajectory.finish_reason = FinishReason::kStop;
    trajectory.verdict.outcome = score > 0 ? Outcome::kCorrect : Outcome::kWrong;
    trajectory.reward = score;
    group.trajectories.push_back(trajectory);
  }
  return group;
}

TEST(DynamicSamplingTest, EqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "dapo_pieces");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    if (one_case["kind"] != "filter_groups") continue;
    for (const char* metric : {"acc", "reward"}) {
      Json kept = Json::array();
      for (const auto& [name, scores] : one_case["acc"].items())
        if (has_spread(group_of(scores.get<std::vector<double>>()), metric)) kept.push_back(name);
      EXPECT_EQ(kept, one_case["kept"]) << metric;
    }
    ++num_checked;
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "dapo_pieces filter_groups: " << num_checked << " cases checked\n";
}

TEST(DynamicSamplingTest, FailedTrajectoriesMakeNoSpread) {
  Group group = group_of({1, 0, 1});
  EXPECT_TRUE(has_spread(group, "acc"));
  group.trajectories[1].verdict.outcome = Outcome::kFailed;
  EXPECT_FALSE(has_spread(group, "acc"));
  for (Trajectory& trajectory : group.trajectories) trajectory.verdict.outcome = Outcome::kFailed;
  EXPECT_FALSE(has_spread(group, "acc"));
}

TEST(DynamicSamplingTest, RewardSeesWhatShapingAdds) {
  const Group group = group_of({1, 0.5});
  EXPECT_FALSE(has_spread(group, "acc"));
  EXPECT_TRUE(has_spread(group, "reward"));
}

// Batches of three groups, of which the middle one has spread; slots count on.
std::vector<Group> batch_of_three(int64_t batch) {
  std::vector<Group> groups = {group_of({0, 0}), group_of({0, 1}), group_of({1, 1})};
  for (size_t i = 0; i < groups.size(); ++i)
    groups[i].slot = static_cast<uint64_t>(batch) * groups.size() + i;
  return groups;
}

TEST(DynamicSamplingTest, SamplesUntilTheBatchIsFull) {
  const FilterGroupsConfig config{.enable = true, .max_num_gen_batches = 3};
  const DynamicSample sample = sample_dynamically(config, 3, batch_of_three);
  EXPECT_EQ(sample.kept, (std::vector<size_t>{1, 4, 7}));
  EXPECT_EQ(sample.sampled.size(), 9u);
  Metrics metrics;
  add_dynamic_metrics(config, sample, metrics);
  EXPECT_EQ(metrics.at("train/num_gen_batches"), 3);
  EXPECT_DOUBLE_EQ(metrics.at("train/kept_group_share"), 1.0 / 3);
}

TEST(DynamicSamplingTest, StopsWithTheCureWhenTheBatchesDoNotSuffice) {
  const FilterGroupsConfig config{.enable = true, .max_num_gen_batches = 2};
  const DynamicSample sample = sample_dynamically(config, 3, batch_of_three);
  EXPECT_EQ(sample.num_gen_batches, 2);
  EXPECT_EQ(sample.kept.size(), 2u);
  EXPECT_NO_THROW(check_enough_kept(config, 2, sample));
  try {
    check_enough_kept(config, 3, sample);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("max_num_gen_batches"), std::string::npos);
  }
}

TEST(DynamicSamplingTest, KeepsAllWhenOff) {
  const DynamicSample sample = sample_dynamically({}, 3, batch_of_three);
  EXPECT_EQ(sample.kept, (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(sample.num_gen_batches, 1);
}

}  // namespace
}  // namespace covrl
