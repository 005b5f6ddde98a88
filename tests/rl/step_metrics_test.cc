#include "rl/step_metrics.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace covrl {
namespace {

// Completions of which so many failed to be sampled, and so many to be verified.
std::vector<Group> groups_with(int num_unsampled, int num_unverified) {
  std::vector<Group> groups(2);
  for (int i = 0; i < 10; ++i) {
    Trajectory& trajectory = groups[static_cast<size_t>(i % 2)].trajectories.emplace_back();
    const bool sampled = i >= num_unsampled;
    trajectory.finish_reason = sampled ? FinishReason::kStop : FinishReason::kFailed;
    trajectory.verdict.outcome =
        i < num_unsampled + num_unverified ? Outcome::kFailed : Outcome::kWrong;
    if (sampled) trajectory.verdict.reason = "no answer in 3 s";
  }
  return groups;
}

std::string fault_of(int num_unsampled, int num_unverified, double max_share) {
  try {
    check_failed_share(groups_with(num_unsampled, num_unverified), max_share);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kRuntime);
    return error.what();
  }
  return "";
}

TEST(GroupMetrics, SharesAreOfTheResponsesThatCount) {
  std::vector<Group> groups = groups_with(2, 3);
  for (Group& group : groups)
    for (Trajectory& trajectory : group.trajectories) {
      trajectory.tokens.assign(20, 7);  // one token over and over
      if (is_usable(trajectory)) trajectory.finish_reason = FinishReason::kLength;
    }
  Metrics metrics;
  add_group_metrics(groups, metrics);
  EXPECT_EQ(metrics.at("verifier/wrong"), 5);
  EXPECT_EQ(metrics.at("verifier/failed"), 5);
  EXPECT_EQ(metrics.at("response_length/clip_ratio"), 1);
  EXPECT_EQ(metrics.at("rollout/degenerate"), 1);
}

TEST(FailedShare, TellsSamplingFromVerification) {
  const std::string both = fault_of(2, 3, 0.4), sampling = fault_of(5, 0, 0.4),
                    verification = fault_of(0, 5, 0.4);
  EXPECT_NE(both.find("5 of 10 completions failed: 2 in sampling (the model's logits were not "
                      "finite), 3 in verification (no answer in 3 s); more than"),
            std::string::npos)
      << both;
  EXPECT_EQ(sampling.find("verif"), std::string::npos) << sampling;
  EXPECT_NE(sampling.find("actor.optim.lr"), std::string::npos) << sampling;
  EXPECT_EQ(verification.find("sampling"), std::string::npos) << verification;
  EXPECT_NE(verification.find("Mend the verifier"), std::string::npos) << verification;
  EXPECT_EQ(fault_of(2, 2, 0.4), "");
  EXPECT_EQ(fault_of(0, 0, 0), "");
}

}  // namespace
}  // namespace covrl
