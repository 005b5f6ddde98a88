#include "rl/group_exchange.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/fake_comm.h"

namespace covrl {
namespace {

Group sampled(uint64_t slot) {
  Group group;
  group.slot = slot;
  for (int i = 0; i < 2; ++i) {
    Trajectory trajectory;
    trajectory.tokens = {static_cast<int64_t>(slot), i, 7};
    trajectory.behaviour_logprob = {-0.5f, -1.25f, -0.125f * static_cast<float>(i)};
    trajectory.entropy = {0.1f, 0.2f, 0.3f};
    trajectory.finish_reason = i == 0 ? FinishReason::kStop : FinishReason::kLength;
    trajectory.weight_version = 4;
    trajectory.text = std::string("a\0b", 3);
    trajectory.verdict = {Outcome::kCorrect, 1.0, "12.8", 0.25};
    trajectory.verdict.reason = "late";
    trajectory.verdict.parts = {{Outcome::kCorrect, 1.0}, {Outcome::kWrong, 0.5}};
    trajectory.reward = 1.0;
    if (i == 1) trajectory.audit = Verdict{Outcome::kWrong, 0.0, "12.75"};
    group.trajectories.push_back(trajectory);
  }
  return group;
}

std::vector<Prompt> prompts(size_t n) {
  std::vector<Prompt> result(n);
  for (size_t i = 0; i < n; ++i) result[i].id = std::to_string(i);
  return result;
}

TEST(GroupExchange, EveryRankGetsAllGroupsInOrderOfSlot) {
  testing::run_ranks(3, [](Communicator& comm) {
    std::vector<Group> mine;
    for (uint64_t slot = static_cast<uint64_t>(comm.rank()); slot < 5; slot += 3)
      mine.push_back(sampled(slot));
    const std::vector<Group> all = exchange_groups(comm, mine, prompts(5));
    ASSERT_EQ(all.size(), 5u);
    for (uint64_t slot = 0; slot < 5; ++slot) {
      const Group& group = all[slot];
      const Group expected = sampled(slot);
      EXPECT_EQ(group.slot, slot);
      EXPECT_EQ(group.prompt.id, std::to_string(slot));
      ASSERT_EQ(group.trajectories.size(), 2u);
      for (size_t i = 0; i < 2; ++i) {
        const Trajectory &got = group.trajectories[i], &want = expected.trajectories[i];
        EXPECT_EQ(got.tokens, want.tokens);
        EXPECT_EQ(got.behaviour_logprob, want.behaviour_logprob);
        EXPECT_EQ(got.entropy, want.entropy);
        EXPECT_EQ(got.finish_reason, want.finish_reason);
        EXPECT_EQ(got.weight_version, want.weight_version);
        EXPECT_EQ(got.text, want.text);
        EXPECT_EQ(got.verdict.extracted, want.verdict.extracted);
        EXPECT_EQ(got.verdict.outcome, want.verdict.outcome);
        EXPECT_EQ(got.verdict.reason, want.verdict.reason);
        ASSERT_EQ(got.verdict.parts.size(), 2u);
        EXPECT_EQ(got.verdict.parts[1].outcome, Outcome::kWrong);
        EXPECT_EQ(got.verdict.parts[1].score, 0.5);
        EXPECT_EQ(got.reward, want.reward);
        ASSERT_EQ(got.audit.has_value(), i == 1);
        if (i == 1) {
          EXPECT_EQ(got.audit->outcome, Outcome::kWrong);
          EXPECT_EQ(got.audit->extracted, "12.75");
        }
      }
    }
  });
}

TEST(GroupExchange, AMissingOrDoubledSlotThrows) {
  testing::run_ranks(1, [](Communicator& comm) {
    EXPECT_THROW(exchange_groups(comm, {sampled(0)}, prompts(2)), Error);
    EXPECT_THROW(exchange_groups(comm, {sampled(0), sampled(0)}, prompts(1)), Error);
  });
}

}  // namespace
}  // namespace covrl
