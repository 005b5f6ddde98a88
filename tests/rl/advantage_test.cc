#include "rl/advantage/advantage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <set>
#include <tuple>

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

std::vector<std::string> group_names() {
  return {"grpo", "dr_grpo", "rloo", "reinforce_plus_plus_baseline", "opo", "gpg", "grpo_passk"};
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
  if (one_case.contains("values")) testing::append_numbers(one_case["values"], input.value_T);
  if (one_case.contains("reward_baselines"))
    testing::append_numbers(one_case["reward_baselines"], input.baseline);
  return input;
}

// A column of the vectors and the estimator it is of.
struct Column {
  std::string column;
  AdvantageConfig config;
  double relative = 1e-9;
};

// Masked means of the references have 1e-8 in the denominator.
constexpr double kWhitened = 1e-7;
// Whitening divides by 1e-4 where all are equal, and that by what this makes of the mean.
constexpr double kWhitenedEqual = 1e-4;
// They reduce a group in float32 for GRPO, and use float32 constants for groups of one.
constexpr double kFloatGroup = 1e-6;

std::vector<Column> columns() {
  std::vector<Column> columns = {
      {"fork_grpo", {.adv_estimator = "grpo"}, kFloatGroup},
      {"verl_grpo", {.adv_estimator = "grpo"}, kFloatGroup},
      {"grpo", {.adv_estimator = "grpo"}, kFloatGroup},
      {"grpo_vectorized", {.adv_estimator = "grpo"}, 2 * kFloatGroup},
      {"verl_dr_grpo", {.adv_estimator = "dr_grpo"}},
      {"verl_grpo_vectorized", {.adv_estimator = "grpo"}, 2 * kFloatGroup},
      {"verl_rloo", {.adv_estimator = "rloo"}},
      {"verl_rloo_vectorized", {.adv_estimator = "rloo"}, kFloatGroup},
      {"verl_grpo_passk", {.adv_estimator = "grpo_passk"}, kFloatGroup},
      {"verl_grpo_passk_nostd",
       {.adv_estimator = "grpo_passk", .norm_adv_by_std_in_grpo = false},
       kFloatGroup},
      {"verl_reinforce_plus_plus_baseline",
       {.adv_estimator = "reinforce_plus_plus_baseline"},
       kWhitened},
      {"verl_remax", {.adv_estimator = "remax"}},
      {"verl_opo", {.adv_estimator = "opo"}},
      {"verl_gpg", {.adv_estimator = "gpg"}}};
  for (const auto& [text, gamma] :
       std::map<std::string, double>{{"1.0", 1}, {"0.95", 0.95}, {"0.9", 0.9}})
    for (const char* prefix : {"verl_reinforce_plus_plus_g", "reinforce_plus_plus_gamma"})
      columns.push_back(
          {prefix + text, {.adv_estimator = "reinforce_plus_plus", .gamma = gamma}, kWhitened});
  for (const auto& [text, gamma, lam] : std::vector<std::tuple<std::string, double, double>>{
           {"g1.0_l1.0", 1, 1}, {"g1.0_l0.95", 1, 0.95}, {"g0.99_l0.9", 0.99, 0.9}})
    for (const char* prefix : {"fork_gae_", "verl_gae_"})
      columns.push_back(
          {prefix + text, {.adv_estimator = "gae", .gamma = gamma, .lam = lam}, kWhitened});
  return columns;
}

bool has_holes(const AdvantageInput& input) {
  for (size_t n = 0; n < input.num_sequences(); ++n)
    for (int64_t t = input.cu_seqlens[n] + 1; t < input.cu_seqlens[n + 1]; ++t)
      if (input.mask_T[static_cast<size_t>(t)] && !input.mask_T[static_cast<size_t>(t) - 1])
        return true;
  return false;
}

// Where a reference is known to do something else than we want.
bool differs_on_purpose(const std::string& column, const AdvantageInput& input) {
  const bool full =
      std::all_of(input.mask_T.begin(), input.mask_T.end(), [](uint8_t bit) { return bit != 0; });
  // The fork reads values outside the mask; the older verl loses the return at a hole, and its
  // vectorised form gives groups of one nothing.
  if (column.rfind("fork_gae", 0) == 0) return !full;
  if (column == "verl_rloo_vectorized")
    return std::set(input.group.begin(), input.group.end()).size() == input.num_sequences();
  return column.rfind("verl_reinforce_plus_plus_g", 0) == 0 && has_holes(input);
}

void expect_column(const Json& one_case, const AdvantageInput& input, const Column& column) {
  const Json& wanted = one_case["results"][column.column];
  const at::Tensor mask = testing::vector_mask(one_case["response_mask"]);
  testing::Tolerance tolerance = testing::vector_tolerance(one_case);
  tolerance.relative = std::max(tolerance.relative, column.relative);
  const AdvantageEstimate result = make_advantage(column.config)->estimate(input);
  if (column.relative == kWhitened) {
    const bool equal = std::all_of(result.advantage_T.begin(), result.advantage_T.end(),
                                   [](double value) { return value == 0; });
    tolerance.absolute = std::max(tolerance.absolute, equal ? kWhitenedEqual : kWhitened);
  }
  const std::string what = one_case["name"].get<std::string>() + " " + column.column;
  testing::expect_close(at::tensor(result.advantage_T, at::kDouble),
                        testing::vector_tensor(wanted["advantages"]), mask, tolerance, what);
  if (!wanted.contains("returns")) return;
  const std::string& name = column.config.adv_estimator;
  if (name == "gae" || name == "reinforce_plus_plus")  // returns are not whitened
    tolerance = testing::vector_tolerance(one_case);
  testing::expect_close(at::tensor(result.return_T, at::kDouble),
                        testing::vector_tensor(wanted["returns"]), mask, tolerance,
                        what + " returns");
}

// Returns the number of results checked; names what it leaves out.
int check_case(const Json& one_case, std::set<std::string>& left_out) {
  const AdvantageInput input = input_of(one_case);
  int num_checked = 0;
  std::set<std::string> known;
  for (const Column& column : columns()) {
    if (!one_case["results"].contains(column.column)) continue;
    known.insert(column.column);
    if (differs_on_purpose(column.column, input)) {
      left_out.insert(column.column + " of " + one_case["name"].get<std::string>());
    } else if (one_case["results"][column.column].contains("error")) {
      // Where a reference raises (one token to whiten, a group of one), all is 0.
      for (double value : make_advantage(column.config)->estimate(input).advantage_T)
        EXPECT_EQ(value, 0) << one_case["name"] << column.column;
      ++num_checked;
    } else {
      expect_column(one_case, input, column);
      ++num_checked;
    }
  }
  for (const auto& [name, value] : one_case["results"].items())
    if (!known.count(name)) left_out.insert(name);
  return num_checked;
}

void print_summary(const char* file, int num_checked, const std::set<std::string>& left_out) {
  EXPECT_GT(num_checked, 0);
  std::cout << file << ": " << num_checked << " results checked; not compared:";
  for (const std::string& name : left_out) std::cout << " " << name << ";";
  std::cout << "\n";
}

TEST(AdvantageTest, EqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "advantages");
  int num_checked = 0;
  std::set<std::string> left_out;
  for (const Json& one_case : testing::vector_cases(path))
    num_checked += check_case(one_case, left_out);
  print_summary("advantages", num_checked, left_out);
}

TEST(AdvantageTest, EqualsTheLatestReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "verl_latest");
  int num_checked = 0;
  std::set<std::string> left_out;
  for (const Json& one_case : testing::vector_cases(path))
    if (one_case["kind"] == "advantage") num_checked += check_case(one_case, left_out);
  print_summary("verl_latest advantage", num_checked, left_out);
}

TEST(AdvantageTest, EqualRewardsGiveExactlyZero) {
  for (const std::string& name : group_names())
    for (double reward : {0.0, 1.0, 0.1, -0.7})
      for (double value : estimate(name, group_of(std::vector<double>(7, reward))))
        EXPECT_EQ(value, 0.0) << name << reward;
}

TEST(AdvantageTest, GroupOfOneKeepsItsReward) {
  EXPECT_DOUBLE_EQ(estimate("grpo", group_of({0.5}))[0], 0.5 / (1 + 1e-6));
  EXPECT_EQ(estimate("dr_grpo", group_of({0.5}))[0], 0.5);
  EXPECT_EQ(estimate("rloo", group_of({0.5}))[0], 0.5);
  EXPECT_EQ(estimate("opo", group_of({0.5}))[0], 0.5);
  EXPECT_EQ(estimate("gpg", group_of({0.5}))[0], 0.5);
}

// Adds what remax and gae read: baselines and values.
AdvantageInput complete(AdvantageInput input) {
  for (size_t n = 0; n < input.num_sequences(); ++n) input.baseline.push_back(0.25);
  for (size_t t = 0; t < input.mask_T.size(); ++t)
    input.value_T.push_back(0.1 * static_cast<double>(t % 2));
  return input;
}

TEST(AdvantageTest, FailedTrajectoriesTakeNoPart) {
  for (const std::string& name : advantage_names()) {
    AdvantageInput with = complete(group_of({1, 123, 0, 0, -9}));
    for (size_t t : {2, 3, 8, 9}) {
      with.mask_T[t] = 0;
      with.reward_T[t] = with.value_T[t] = std::nan("");
    }
    for (size_t n : {1, 4}) with.baseline[n] = std::nan("");
    const std::vector<double> seen = estimate(name, with);
    const std::vector<double> without = estimate(name, complete(group_of({1, 0, 0})));
    EXPECT_EQ(seen, (std::vector<double>{without[0], 0, without[1], without[2], 0})) << name;
    with.mask_T.assign(10, 0);
    EXPECT_EQ(estimate(name, with), std::vector<double>(5, 0.0)) << name;
  }
}

TEST(AdvantageTest, AnEmptyBatchHasNoAdvantages) {
  AdvantageInput input;
  input.cu_seqlens = {0};
  for (const std::string& name : advantage_names())
    EXPECT_TRUE(make(name)->estimate(input).advantage_T.empty()) << name;
}

// Sequences of several groups, of different lengths, with an observation in one of them.
struct Row {
  int64_t group;
  std::vector<double> rewards;
  std::vector<uint8_t> mask;
  std::vector<double> values;
};

AdvantageInput input_of_rows(const std::vector<Row>& rows) {
  AdvantageInput input;
  input.cu_seqlens = {0};
  for (const Row& row : rows) {
    input.group.push_back(row.group);
    input.baseline.push_back(0.5 * static_cast<double>(row.group));
    input.reward_T.insert(input.reward_T.end(), row.rewards.begin(), row.rewards.end());
    input.mask_T.insert(input.mask_T.end(), row.mask.begin(), row.mask.end());
    input.value_T.insert(input.value_T.end(), row.values.begin(), row.values.end());
    input.cu_seqlens.push_back(static_cast<int64_t>(input.mask_T.size()));
  }
  return input;
}

std::vector<Row> some_rows() {
  const double nan = std::nan("");
  return {{0, {0, 0, 1}, {1, 1, 1}, {0.1, 0.2, 0.3}},
          {0, {0, nan, 0, 0}, {1, 0, 1, 1}, {0.5, nan, -0.25, 0.1}},
          {1, {0.5}, {1}, {0.75}},
          {1, {nan, nan}, {0, 0}, {nan, nan}},
          {1, {0.25, 1}, {1, 1}, {0.3, -0.1}},
          {2, {-0.5, -1}, {1, 1}, {0, 0.2}}};
}

// Each row's advantages and returns where the mask is set.
std::vector<std::vector<double>> row_results(const std::string& name,
                                             const std::vector<Row>& rows) {
  const AdvantageInput input = input_of_rows(rows);
  const AdvantageEstimate result = make(name)->estimate(input);
  std::vector<std::vector<double>> results(rows.size());
  for (size_t n = 0; n < rows.size(); ++n)
    for (int64_t t = input.cu_seqlens[n]; t < input.cu_seqlens[n + 1]; ++t) {
      const auto entry = static_cast<size_t>(t);
      if (input.mask_T[entry]) {
        results[n].push_back(result.advantage_T[entry]);
        results[n].push_back(result.return_T[entry]);
      } else {
        EXPECT_EQ(result.advantage_T[entry], 0) << name;
        EXPECT_EQ(result.return_T[entry], 0) << name;
      }
    }
  return results;
}

void expect_same(const std::vector<double>& seen, const std::vector<double>& wanted,
                 const std::string& what) {
  ASSERT_EQ(seen.size(), wanted.size()) << what;
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_NEAR(seen[i], wanted[i], 1e-12) << what;
}

TEST(AdvantageTest, TheOrderOfSequencesAndGroupsDoesNotMatter) {
  const std::vector<size_t> order = {5, 2, 0, 4, 3, 1};
  const std::vector<Row> rows = some_rows();
  for (const std::string& name : advantage_names()) {
    const std::vector<std::vector<double>> wanted = row_results(name, rows);
    std::vector<Row> shuffled;
    for (size_t n : order) {
      shuffled.push_back(rows[n]);
      shuffled.back().group = 10 - shuffled.back().group;
    }
    if (name == "remax")  // whose baselines these rows derive from the group
      for (Row& row : shuffled) row.group = 10 - row.group;
    const std::vector<std::vector<double>> seen = row_results(name, shuffled);
    for (size_t i = 0; i < order.size(); ++i) expect_same(seen[i], wanted[order[i]], name);
  }
}

TEST(AdvantageTest, PaddingAndObservationsDoNotMatter) {
  std::vector<Row> padded = some_rows();
  for (Row& row : padded)
    for (int i = 0; i < 3; ++i) {
      row.rewards.push_back(std::nan(""));
      row.values.push_back(1e300);
      row.mask.push_back(0);
    }
  for (Row& row : padded) {
    row.rewards.insert(row.rewards.begin(), 77);
    row.values.insert(row.values.begin(), -77);
    row.mask.insert(row.mask.begin(), 0);
  }
  for (const std::string& name : advantage_names()) {
    const auto wanted = row_results(name, some_rows()), seen = row_results(name, padded);
    for (size_t n = 0; n < padded.size(); ++n) expect_same(seen[n], wanted[n], name);
  }
}

TEST(AdvantageTest, RewardsOfEachTokenAddUpAlongTheReturn) {
  AdvantageInput input = group_of({0});
  input.reward_T = {0.5, 2};
  EXPECT_EQ(make_advantage({.adv_estimator = "reinforce_plus_plus", .gamma = 0.5})
                ->estimate(input)
                .return_T,
            (std::vector<double>{1.5, 2}));
}

TEST(AdvantageTest, OnlyTheBestOfAGroupLearnsForPassAtK) {
  EXPECT_EQ(estimate("grpo_passk", group_of({1, 1, 0})), (std::vector<double>{0, 0, 0}));
  const std::vector<double> values = estimate("grpo_passk", group_of({0, 3, 1}));
  EXPECT_GT(values[1], 0);
  EXPECT_EQ(values[0] + values[2], 0);
}

TEST(AdvantageTest, KnobsWithoutEffectAreRefused) {
  const auto load = [](const std::vector<std::string>& overrides) {
    AdvantageConfig config;
    config::load({{}, overrides}, [&](config::Visitor& v) { config.describe(v); });
  };
  EXPECT_THROW(load({"gamma=0.9"}), Error);
  EXPECT_THROW(load({"adv_estimator=reinforce_plus_plus", "lam=0.9"}), Error);
  EXPECT_THROW(load({"norm_adv_by_std_in_grpo=false"}), Error);
  EXPECT_NO_THROW(load({"adv_estimator=gae", "gamma=0.9", "lam=0.9"}));
  EXPECT_NO_THROW(load({"adv_estimator=grpo_passk", "norm_adv_by_std_in_grpo=false"}));
}

TEST(AdvantageTest, UnknownNameIsRefused) { EXPECT_THROW(make("gropo"), Error); }

}  // namespace
}  // namespace covrl
