#include "rl/batch.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "core/error.h"

namespace covrl {
namespace {

Trajectory trajectory(std::vector<int64_t> tokens, double first_logprob) {
  Trajectory result;
  for (size_t i = 0; i < tokens.size(); ++i)
    result.behaviour_logprob.push_back(static_cast<float>(first_logprob - static_cast<double>(i)));
  result.tokens = std::move(tokens);
  result.finish_reason = FinishReason::kStop;
  result.verdict.outcome = Outcome::kWrong;
  result.weight_version = 7;
  result.reward = first_logprob;
  return result;
}

std::vector<Group> two_groups() {
  std::vector<Group> groups(2);
  groups[0].slot = 2;
  groups[0].prompt.tokens = {10, 11};
  groups[0].trajectories = {trajectory({12, 13, 14}, -1), trajectory({15}, -5)};
  groups[1].slot = 5;
  groups[1].prompt.tokens = {20};
  groups[1].trajectories = {trajectory({21, 22}, -8)};
  return groups;
}

template <class T>
std::vector<T> values(const at::Tensor& tensor) {
  return std::vector<T>(tensor.const_data_ptr<T>(), tensor.const_data_ptr<T>() + tensor.numel());
}

TEST(BatchTest, CopiesAreGroupsOfTheirOwnUnlessMerged) {
  std::vector<Group> groups = two_groups();
  groups.push_back(groups[0]);
  groups[2].slot = 6;
  groups.push_back(groups[0]);
  groups[3].slot = 7;
  groups[3].prompt.gold = "another answer";  // another problem
  EXPECT_EQ(Batch::pack(1, groups).advantage_group, (std::vector<int64_t>{2, 2, 5, 6, 6, 7, 7}));
  merge_copies(groups);
  const Batch merged = Batch::pack(1, groups);
  EXPECT_EQ(merged.advantage_group, (std::vector<int64_t>{2, 2, 5, 2, 2, 7, 7}));
  EXPECT_EQ(merged.sequence_ids[3].slot, 6u);  // draws and mini-batches are as without merging
}

TEST(BatchTest, EntryPredictsTheNextToken) {
  const Batch batch = Batch::pack(4, two_groups());
  EXPECT_EQ(batch.step, 4u);
  EXPECT_EQ(batch.num_sequences(), 3);
  EXPECT_EQ(batch.num_tokens(), 11);
  EXPECT_EQ(batch.cu_seqlens, (std::vector<int64_t>{0, 5, 8, 11}));
  EXPECT_EQ(batch.prompt_lengths, (std::vector<int64_t>{2, 2, 1}));
  EXPECT_EQ(batch.group_size, (std::vector<int64_t>{2, 2, 1}));
  EXPECT_EQ(batch.weight_versions, (std::vector<int64_t>{7, 7, 7}));
  EXPECT_EQ(batch.rewards, (std::vector<double>{-1, -5, -8}));
  EXPECT_EQ(values<int64_t>(batch.tokens_T),
            (std::vector<int64_t>{10, 11, 12, 13, 14, 10, 11, 15, 20, 21, 22}));
  EXPECT_EQ(values<int64_t>(batch.positions_T),
            (std::vector<int64_t>{0, 1, 2, 3, 4, 0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(values<bool>(batch.loss_mask_T), (std::vector<bool>{0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 0}));
  EXPECT_EQ(values<float>(batch.behaviour_logprob_T),
            (std::vector<float>{0, -1, -2, -3, 0, 0, -5, 0, -8, -9, 0}));
  EXPECT_EQ(batch.last_entry(0), 3);
  EXPECT_EQ(batch.last_entry(2), 9);
}

TEST(BatchTest, FailedTrajectoriesAreMasked) {
  std::vector<Group> groups = two_groups();
  groups[0].trajectories[0].finish_reason = FinishReason::kFailed;
  groups[1].trajectories[0].verdict.outcome = Outcome::kFailed;
  groups[0].trajectories[0].behaviour_logprob.clear();  // what failed may be incomplete
  const Batch batch = Batch::pack(0, groups);
  EXPECT_EQ(batch.usable, (std::vector<bool>{false, true, false}));
  EXPECT_EQ(values<bool>(batch.loss_mask_T), (std::vector<bool>{0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}));
}

TEST(BatchTest, RefusesBrokenInput) {
  std::vector<Group> groups = two_groups();
  std::swap(groups[0], groups[1]);
  EXPECT_THROW(Batch::pack(0, groups), Error);
  groups = two_groups();
  groups[0].trajectories[0].behaviour_logprob.pop_back();
  EXPECT_THROW(Batch::pack(0, groups), Error);
}

TEST(BatchTest, AnEmptyOneIsLegal) {
  const Batch batch = Batch::pack(0, {});
  EXPECT_EQ(batch.num_sequences(), 0);
  EXPECT_EQ(batch.num_tokens(), 0);
  EXPECT_EQ(batch.tokens_T.numel(), 0);
}

TEST(BatchTest, TokenIdsAreUniqueAndIndependentOfCompany) {
  const Batch batch = Batch::pack(0, two_groups());
  const std::vector<int64_t> ids = batch.token_ids(0, batch.num_sequences()).column();
  EXPECT_EQ(static_cast<int64_t>(ids.size()), batch.num_tokens());
  EXPECT_EQ(std::set<int64_t>(ids.begin(), ids.end()).size(), ids.size());
  const Batch alone = Batch::pack(0, {two_groups()[1]});
  EXPECT_EQ(alone.token_ids(0, alone.num_sequences()).column(),
            std::vector<int64_t>(ids.end() - 3, ids.end()));
}

TEST(OnceTest, IsWrittenOnceAndNotReadBefore) {
  Once once("old_logprob");
  try {
    once.get();
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("old_logprob"), std::string::npos) << error.what();
  }
  once.set(at::ones({2}));
  EXPECT_TRUE(once.get().equal(at::ones({2})));
  EXPECT_THROW(once.set(at::ones({2})), Error);
}

Batch batch_of_lengths(const std::vector<int64_t>& lengths) {
  Batch batch;
  batch.cu_seqlens = {0};
  for (int64_t length : lengths) {
    batch.sequence_ids.push_back({batch.sequence_ids.size(), 0});
    batch.cu_seqlens.push_back(batch.cu_seqlens.back() + length);
  }
  return batch;
}

TEST(MicroBatchTest, KeepsTheOrderWithinTheBudget) {
  const Batch batch = batch_of_lengths({4, 3, 3, 12, 1, 9, 2});
  const std::vector<MicroBatch> plan = plan_micro_batches(batch, {0, 1, 2, 3, 4, 5, 6}, 10);
  std::vector<std::vector<int64_t>> sequences;
  for (const MicroBatch& micro_batch : plan) sequences.push_back(micro_batch.sequences);
  EXPECT_EQ(sequences, (std::vector<std::vector<int64_t>>{{0, 1, 2}, {3}, {4, 5}, {6}}));
  EXPECT_EQ(plan[0].num_tokens, 10);
  EXPECT_EQ(plan[1].num_tokens, 12);
  EXPECT_TRUE(plan_micro_batches(batch, {}, 10).empty());
}

TEST(MicroBatchTest, DealsLongestFirstOntoTheLeastLoaded) {
  std::vector<MicroBatch> plan;
  for (int64_t num_tokens : {3, 9, 5, 5, 1}) plan.push_back({{}, num_tokens});
  EXPECT_EQ(deal_micro_batches(plan, 2), (std::vector<std::vector<int64_t>>{{0, 1}, {2, 3, 4}}));
  EXPECT_EQ(deal_micro_batches(plan, 1), (std::vector<std::vector<int64_t>>{{0, 1, 2, 3, 4}}));
  EXPECT_EQ(deal_micro_batches({}, 2), (std::vector<std::vector<int64_t>>{{}, {}}));
}

}  // namespace
}  // namespace covrl
