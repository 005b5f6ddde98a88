#include "rl/advantage/advantage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

std::unique_ptr<AdvantageEstimator> make(const std::string& name) {
  AdvantageConfig config;
  config.adv_estimator = name;
  return make_advantage(config);
}

// Completions of one prompt, two tokens each, with the whole score on the last.
AdvantageInput group_of(const std::vector<double>& scores) {
  AdvantageInput input;
  input.cu_seqlens = {0};
  for (double score : scores) {
    input.group.push_back(7);
    input.cu_seqlens.push_back(input.cu_seqlens.back() + 2);
    input.mask_T.insert(input.mask_T.end(), {1, 1});
    input.reward_T.insert(input.reward_T.end(), {0, score});
  }
  return input;
}

// The advantage of each completion's first token.
std::vector<double> estimate(const std::string& name, const AdvantageInput& input) {
  const AdvantageEstimate result = make(name)->estimate(input);
  std::vector<double> firsts;
  for (size_t n = 0; n < input.num_sequences(); ++n)
    firsts.push_back(result.advantage_T[static_cast<size_t>(input.cu_seqlens[n])]);
  return firsts;
}

// The matrices of a case, row after row.
AdvantageInput input_of(const Json& one_case) {
  AdvantageInput input;
  input.cu_seqlens = {0};
  std::map<std::string, int64_t> groups;
  for (size_t row = 0; row < one_case["group_index"].size(); ++row) {
    const std::string name = one_case["group_index"][row].get<std::string>();
    input.group.push_back(groups.emplace(name, static_cast<int64_t>(groups.size())).first->second);
    for (const Json& value : one_case["token_level_rewards"][row])
      input.reward_T.push_back(testing::vector_number(value));
    for (const Json& value : one_case["response_mask"][row])
      input.mask_T.push_back(value.get<int>() != 0);
    input.cu_seqlens.push_back(static_cast<int64_t>(input.mask_T.size()));
  }
  return input;
}

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
    const AdvantageInput input = input_of(one_case);
    const at::Tensor mask = testing::vector_mask(one_case["response_mask"]);
    for (const auto& [name, column, relative] : columns) {
      const AdvantageEstimate result = make(name)->estimate(input);
      testing::Tolerance tolerance = testing::vector_tolerance(one_case);
      tolerance.relative = std::max(tolerance.relative, relative);
      testing::expect_close(at::tensor(result.advantage_T, at::kDouble),
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
    AdvantageInput with = group_of({1, 123, 0, 0, -9});
    for (size_t t : {2, 3, 8, 9}) {
      with.mask_T[t] = 0;
      with.reward_T[t] = std::nan("");
    }
    const std::vector<double> seen = estimate(name, with);
    const std::vector<double> without = estimate(name, group_of({1, 0, 0}));
    EXPECT_EQ(seen, (std::vector<double>{without[0], 0, without[1], without[2], 0})) << name;
    with.mask_T.assign(10, 0);
    EXPECT_EQ(estimate(name, with), std::vector<double>(5, 0.0)) << name;
  }
}

TEST(AdvantageTest, UnknownNameIsRefused) { EXPECT_THROW(make("gropo"), Error); }

}  // namespace
}  // namespace covrl
