#include "rollout/verify_groups.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "core/error.h"

namespace covrl {
namespace {

std::vector<Group> groups_of(int num_groups, int num_samples) {
  std::vector<Group> groups(static_cast<size_t>(num_groups));
  for (int g = 0; g < num_groups; ++g) {
    groups[g].prompt.gold = std::to_string(g);
    groups[g].prompt.messages = {
        {"user", "The answer goes into \\boxed{" + std::to_string(g) + "}"}};
    groups[g].trajectories.resize(static_cast<size_t>(num_samples));
    for (int i = 0; i < num_samples; ++i) {
      Trajectory& trajectory = groups[g].trajectories[i];
      trajectory.finish_reason = FinishReason::kStop;
      trajectory.text =
          i % 3 == 2 ? "no idea" : "\\boxed{" + std::to_string(i % 3 == 0 ? g : g + 1) + "}";
    }
  }
  return groups;
}

class VerifyGroups : public ::testing::TestWithParam<int> {};

TEST_P(VerifyGroups, EveryTrajectoryGetsItsVerdict) {
  std::vector<Group> groups = groups_of(40, 6);
  groups[7].trajectories[0].finish_reason = FinishReason::kFailed;
  verify_groups(groups, *make_verifier("math"), GetParam());
  constexpr Outcome kExpected[] = {Outcome::kCorrect, Outcome::kWrong, Outcome::kUnparsed};
  for (size_t g = 0; g < groups.size(); ++g)
    for (size_t i = 0; i < 6; ++i) {
      const Trajectory& trajectory = groups[g].trajectories[i];
      if (g == 7 && i == 0) {
        EXPECT_EQ(trajectory.verdict.outcome, Outcome::kFailed);
        continue;
      }
      EXPECT_EQ(trajectory.verdict.outcome, kExpected[i % 3]) << g << " " << i;
      EXPECT_EQ(trajectory.reward, i % 3 == 0 ? 1 : 0);
    }
}

// Fails on one response; counts what it was asked.
class Throwing final : public Verifier {
 public:
  std::string name() const override { return "throwing"; }
  Verdict verify(const VerifyRequest& request) const override {
    ++num_calls;
    if (request.gold == "3") throw std::runtime_error("verifier broke");
    return {Outcome::kCorrect, 1, "", 0};
  }
  mutable std::atomic<int> num_calls = 0;
};

TEST_P(VerifyGroups, AThrowingVerifierReachesTheCaller) {
  std::vector<Group> groups = groups_of(2000, 1);
  const Throwing verifier;
  EXPECT_THROW(verify_groups(groups, verifier, GetParam()), std::runtime_error);
  EXPECT_LT(verifier.num_calls, 2000);
}

TEST_P(VerifyGroups, NothingToDo) {
  std::vector<Group> groups;
  verify_groups(groups, *make_verifier("math"), GetParam());
  groups.resize(3);
  verify_groups(groups, *make_verifier("math"), GetParam());
  EXPECT_TRUE(groups[0].trajectories.empty());
}

TEST_P(VerifyGroups, AVerifierThatCannotJudgeLeavesAnUnusableTrajectory) {
  std::vector<Group> groups = groups_of(3, 2);
  groups[1].prompt.gold = "no number";
  verify_groups(groups, *make_verifier("numeric"), GetParam());
  for (size_t g = 0; g < groups.size(); ++g)
    for (const Trajectory& trajectory : groups[g].trajectories)
      EXPECT_EQ(is_usable(trajectory), g != 1) << g;
}

// What the row says besides prompt and gold reaches the verifier.
class Echoing final : public Verifier {
 public:
  std::string name() const override { return "echoing"; }
  Verdict verify(const VerifyRequest& request) const override {
    return {Outcome::kCorrect, 1, concat(request.data_source, " ", request.extra_info)};
  }
};

TEST_P(VerifyGroups, DataSourceAndExtraInfoReachTheVerifier) {
  std::vector<Group> groups = groups_of(1, 2);
  groups[0].prompt.data_source = "arc";
  groups[0].prompt.extra_info = "{}";
  verify_groups(groups, Echoing(), GetParam());
  EXPECT_EQ(groups[0].trajectories[1].verdict.extracted, "arc {}");
}

INSTANTIATE_TEST_SUITE_P(Threads, VerifyGroups, ::testing::Values(1, 2, 5));

}  // namespace
}  // namespace covrl
