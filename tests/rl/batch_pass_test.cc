#include "rl/batch_pass.h"

#include <gtest/gtest.h>

#include "tests/support/torch/batches.h"

namespace covrl {
namespace {

using Cuts = std::vector<std::pair<int64_t, int64_t>>;

// First and last of each mini-batch of `groups` groups of 3 completions.
Cuts cuts(int64_t num_groups, int64_t size, MiniBatchUnit unit) {
  Cuts result;
  for (const MiniBatch& part :
       split_mini_batches(Batch::pack(1, testing::random_groups(num_groups)), size, unit, 9))
    result.emplace_back(part.first, part.last);
  return result;
}

TEST(SplitMiniBatches, CountsPromptsOrResponses) {
  constexpr MiniBatchUnit kPrompts = MiniBatchUnit::kPrompts,
                          kResponses = MiniBatchUnit::kResponses;
  EXPECT_EQ(cuts(5, 2, kPrompts), (Cuts{{0, 6}, {6, 12}, {12, 15}}));
  EXPECT_EQ(cuts(5, 6, kResponses), cuts(5, 2, kPrompts));
  EXPECT_EQ(cuts(5, 7, kResponses), (Cuts{{0, 7}, {7, 14}, {14, 15}}));
  EXPECT_EQ(cuts(1, 1, kResponses), (Cuts{{0, 1}, {1, 2}, {2, 3}}));
  for (const MiniBatchUnit unit : {kPrompts, kResponses}) {
    EXPECT_EQ(cuts(5, 0, unit), (Cuts{{0, 15}}));
    EXPECT_EQ(cuts(5, 100, unit), (Cuts{{0, 15}}));
    EXPECT_EQ(cuts(0, 2, unit), Cuts{});
  }
}

TEST(SplitMiniBatches, FailedResponsesCountButDoNotLearn) {
  std::vector<Group> groups = testing::random_groups(2);
  groups[0].trajectories[1].verdict.outcome = Outcome::kFailed;
  const auto parts =
      split_mini_batches(Batch::pack(1, groups), 2, MiniBatchUnit::kResponses, /*longest=*/9);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].sequences, (std::vector<int64_t>{0}));
  EXPECT_EQ(parts[0].last, 2);
  EXPECT_EQ(parts[0].counts.num_sequences, 1);
  EXPECT_EQ(parts[1].sequences, (std::vector<int64_t>{2, 3}));
}

}  // namespace
}  // namespace covrl
