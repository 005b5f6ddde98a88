#include "rl/advantage/advantage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

GroupRewards group_of(std::vector<double> rewards) {
  const size_t size = rewards.size();
  return {std::move(rewards), std::vector<double>(size, 3.0), std::vector<bool>(size, true)};
}

std::vector<double> estimate(const std::string& name, const GroupRewards& group) {
  return make_advantage(name)->estimate({group}).front();
}

// Rows of a case as groups, in the order of their first row.
struct CaseGroups {
  std::vector<GroupRewards> groups;
  std::vector<std::pair<size_t, size_t>> place;  // of each row: group, index in it

  explicit CaseGroups(const Json& one_case) {
    std::map<std::string, size_t> index;
    for (size_t row = 0; row < one_case["group_index"].size(); ++row) {
      const auto [found, is_new] =
          index.emplace(one_case["group_index"][row].get<std::string>(), groups.size());
      if (is_new) groups.emplace_back();
      GroupRewards& group = groups[found->second];
      double reward = 0;
      for (const Json& value : one_case["token_level_rewards"][row])
        reward += testing::vector_number(value);
      place.emplace_back(found->second, group.rewards.size());
      group.rewards.push_back(reward);
      group.lengths.push_back(1);
      group.usable.push_back(true);
    }
  }
};

TEST(AdvantageTest, EqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "advantages");
  // The references reduce a group in float32 for GRPO, and use float32 constants for groups of one.
  const std::vector<std::tuple<std::string, std::string, double>> columns = {
      {"grpo", "fork_grpo", 1e-6},
      {"grpo", "verl_grpo", 1e-6},
      {"dr_grpo", "verl_dr_grpo", 1e-9},
      {"rloo", "verl_rloo", 1e-9}};
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    const CaseGroups groups(one_case);
    const at::Tensor mask = testing::vector_mask(one_case["response_mask"]);
    for (const auto& [name, column, relative] : columns) {
      const auto advantages = make_advantage(name)->estimate(groups.groups);
      std::vector<double> rows;
      for (size_t row = 0; row < groups.place.size(); ++row)
        for (size_t t = 0; t < one_case["response_mask"][row].size(); ++t)
          rows.push_back(advantages[groups.place[row].first][groups.place[row].second]);
      testing::Tolerance tolerance = testing::vector_tolerance(one_case);
      tolerance.relative = std::max(tolerance.relative, relative);
      testing::expect_close(at::tensor(rows, at::kDouble),
                            testing::vector_tensor(one_case["results"][column]["advantages"]), mask,
                            tolerance, one_case["name"].get<std::string>() + " " + column);
      ++num_checked;
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "advantages: " << num_checked << " results checked\n";
}

TEST(AdvantageTest, EqualRewardsGiveExactlyZero) {
  for (const std::string& name : advantage_names())
    for (double reward : {0.0, 1.0, 0.1, -0.7})
      for (double value : estimate(name, group_of(std::vector<double>(7, reward))))
        EXPECT_EQ(value, 0.0) << name << reward;
}

TEST(AdvantageTest, GroupOfOneKeepsItsReward) {
  EXPECT_DOUBLE_EQ(estimate("grpo", group_of({0.5}))[0], 0.5 / (1 + 1e-6));
  EXPECT_EQ(estimate("dr_grpo", group_of({0.5}))[0], 0.5);
  EXPECT_EQ(estimate("rloo", group_of({0.5}))[0], 0.5);
}

TEST(AdvantageTest, FailedTrajectoriesTakeNoPart) {
  for (const std::string& name : advantage_names()) {
    GroupRewards with = group_of({1, 123, 0, 0, -9});
    with.usable = {true, false, true, true, false};
    const std::vector<double> seen = estimate(name, with);
    const std::vector<double> without = estimate(name, group_of({1, 0, 0}));
    EXPECT_EQ(seen, (std::vector<double>{without[0], 0, without[1], without[2], 0})) << name;
    with.usable.assign(5, false);
    EXPECT_EQ(estimate(name, with), std::vector<double>(5, 0.0)) << name;
  }
}

TEST(AdvantageTest, UnknownNameListsTheKnownOnes) {
  try {
    make_advantage("gropo");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    for (const std::string& name : advantage_names())
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace covrl
