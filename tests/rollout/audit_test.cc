#include "rollout/audit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/jsonl.h"
#include "rollout/audit_log.h"
#include "rollout/verify_groups.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

// Sample 0 is right, 1 wrong, 2 states nothing.
std::vector<Group> groups_of(size_t num_groups, size_t first_slot = 0) {
  std::vector<Group> groups(num_groups);
  for (size_t g = 0; g < num_groups; ++g) {
    groups[g].slot = first_slot + g;
    groups[g].prompt.id = "p" + std::to_string(first_slot + g);
    groups[g].prompt.text = "What is 1 + 3?";
    groups[g].prompt.gold = "4";
    for (const char* text : {"\\boxed{4}", "\\boxed{5}", "no idea"}) {
      groups[g].trajectories.emplace_back();
      groups[g].trajectories.back().text = text;
      groups[g].trajectories.back().finish_reason = FinishReason::kStop;
    }
  }
  return groups;
}

std::set<std::pair<uint64_t, size_t>> audited(const std::vector<Group>& groups) {
  std::set<std::pair<uint64_t, size_t>> places;
  for (const Group& group : groups)
    for (size_t i = 0; i < group.trajectories.size(); ++i)
      if (group.trajectories[i].audit) places.emplace(group.slot, i);
  return places;
}

TEST(Audit, TheChoiceDependsOnTheIdentityOfTheSampleAlone) {
  const auto verifier = make_verifier("math"), second = make_verifier("format");
  const Audit audit{second.get(), 0.3, /*seed=*/5, /*step=*/7};
  std::vector<Group> whole = groups_of(200), first = groups_of(120), last = groups_of(80, 120);
  verify_groups(whole, *verifier, 1, audit);
  verify_groups(last, *verifier, 3, audit);
  verify_groups(first, *verifier, 2, audit);
  auto parts = audited(first);
  parts.merge(audited(last));
  EXPECT_EQ(audited(whole), parts);
  EXPECT_NEAR(static_cast<double>(parts.size()), 0.3 * 600, 5 * std::sqrt(600 * 0.3 * 0.7));
  for (const Audit& other : {Audit{second.get(), 0.3, 6, 7}, Audit{second.get(), 0.3, 5, 8}}) {
    std::vector<Group> groups = groups_of(200);
    verify_groups(groups, *verifier, 1, other);
    EXPECT_NE(audited(groups), parts);
  }
}

TEST(Audit, ChangesNoVerdictAndNoReward) {
  const auto verifier = make_verifier("math"), second = make_verifier("format");
  std::vector<Group> plain = groups_of(20), checked = groups_of(20);
  verify_groups(plain, *verifier, 1);
  verify_groups(checked, *verifier, 1, {second.get(), 1, 1, 1});
  EXPECT_TRUE(audited(plain).empty());
  EXPECT_EQ(audited(checked).size(), 60u);
  for (size_t g = 0; g < plain.size(); ++g)
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(plain[g].trajectories[i].reward, checked[g].trajectories[i].reward);
      EXPECT_EQ(plain[g].trajectories[i].verdict.outcome,
                checked[g].trajectories[i].verdict.outcome);
    }
}

TEST(Audit, DisagreementsAreLoggedWithTheTexts) {
  const auto verifier = make_verifier("math"), second = make_verifier("format");
  std::vector<Group> groups = groups_of(2);
  groups[1].prompt.gold = "5";
  groups[1].trajectories[0].finish_reason = FinishReason::kFailed;
  verify_groups(groups, *verifier, 1, {second.get(), 1, 1, 1});
  const std::string path = testing::temporary_dir("audit") + "/audit.jsonl";
  AuditLog(path, 0).write(3, groups);
  std::vector<Json> rows;
  read_jsonl(path, [&](int64_t, const Json& row) { rows.push_back(row); });
  ASSERT_EQ(rows.size(), 1u);  // a stated wrong answer: of group 0 alone
  EXPECT_EQ(rows[0], Json({{"step", 3},
                           {"id", "p0"},
                           {"index", 0},
                           {"slot", 0},
                           {"sample", 1},
                           {"prompt", "What is 1 + 3?"},
                           {"response", "\\boxed{5}"},
                           {"gold", "4"},
                           {"outcome", "wrong"},
                           {"extracted", "5"},
                           {"audit_outcome", "correct"},
                           {"audit_extracted", "5"}}));
}

// numeric cannot judge: its gold answer is no number.
TEST(Audit, AFailureOfTheSecondIsNoDisagreement) {
  std::vector<Group> groups = groups_of(1);
  groups[0].prompt.gold = "four";
  groups[0].trajectories[0].text = "\\boxed{four}";
  const auto second = make_verifier("numeric");
  verify_groups(groups, *make_verifier("exact"), 1, {second.get(), 1, 1, 1});
  EXPECT_EQ(groups[0].trajectories[0].verdict.outcome, Outcome::kCorrect);
  EXPECT_FALSE(audit_disagrees(groups[0].trajectories[0]));
}

}  // namespace
}  // namespace covrl
