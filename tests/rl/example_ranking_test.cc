#include "rl/example_ranking.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

using Ids = std::vector<std::string>;

Ids ids_of(const std::vector<RankedExample>& ranked) {
  Ids ids;
  for (const RankedExample& example : ranked) ids.push_back(example.id);
  return ids;
}

Ids ranking(const std::vector<ExampleHistory>& histories, RankingMethod method) {
  return ids_of(rank_examples(histories, {.method = method}));
}

TEST(ExampleRanking, PairwiseSumIsExactWhereRoundingDoesNotMatter) {
  for (const size_t count : {0, 1, 7, 8, 9, 127, 128, 129, 1000}) {
    std::vector<double> values;
    for (size_t i = 0; i < count; ++i) values.push_back(0.125 * static_cast<double>(i));
    const double n = static_cast<double>(count);
    EXPECT_EQ(pairwise_sum(values.data(), count), count == 0 ? 0 : 0.125 * n * (n - 1) / 2);
  }
}

// Eight partial sums: 1e16 absorbs a one that meets it alone, and keeps those that met before.
TEST(ExampleRanking, PairwiseSumAddsInEightLanes) {
  std::vector<double> values(16, 0);
  values[0] = 1e16;
  values[1] = values[9] = 1;  // one lane: 2, which 1e16 keeps
  EXPECT_EQ(pairwise_sum(values.data(), values.size()), 1e16 + 2);
  values[9] = 0;
  values[8] = 1;  // the lane of 1e16
  values[1] = 0;
  EXPECT_EQ(pairwise_sum(values.data(), values.size()), 1e16);
}

const std::vector<ExampleHistory> kHistories = {{"always", {1, 1, 1, 1}},
                                                {"late", {0, 0, 1, 1}},
                                                {"never", {0, 0, 0, 0}},
                                                {"half", {0.5, 0.5, 0.5, 0.5}},
                                                {"early", {1, 1, 0, 0}}};

TEST(ExampleRanking, MethodsOrderAsTheySay) {
  EXPECT_EQ(ranking(kHistories, RankingMethod::kStd),
            (Ids{"late", "early", "always", "never", "half"}));
  EXPECT_EQ(ranking(kHistories, RankingMethod::kVariance),
            ranking(kHistories, RankingMethod::kStd));
  EXPECT_EQ(ranking(kHistories, RankingMethod::kEasiest),
            (Ids{"always", "late", "half", "early", "never"}));
  EXPECT_EQ(ranking(kHistories, RankingMethod::kHardest),
            (Ids{"never", "late", "half", "early", "always"}));
  EXPECT_EQ(ids_of(rank_examples(kHistories, {.method = RankingMethod::kNearest, .accuracy = 0.9})),
            (Ids{"always", "late", "half", "early", "never"}));
}

TEST(ExampleRanking, ScoresAndTiesAreThoseOfTheFormula) {
  const std::vector<RankedExample> ranked = rank_examples(kHistories, {});
  EXPECT_DOUBLE_EQ(ranked[0].score, 0.5);  // the population's, not the sample's 0.577
  EXPECT_DOUBLE_EQ(ranked[0].mean, 0.5);
  EXPECT_EQ(ranked[0].num_seen, 4);
  EXPECT_EQ(ranked[1].first_tied, 1);
  EXPECT_EQ(ranked[1].last_tied, 2);
  for (size_t i = 2; i < 5; ++i) {
    EXPECT_EQ(ranked[i].rank, static_cast<int64_t>(i) + 1);
    EXPECT_EQ(ranked[i].first_tied, 3);
    EXPECT_EQ(ranked[i].last_tied, 5);
  }
}

// By hand: with the means 0.4, 0.6 of two times, sum (1 - m)^2 = 0.52.
TEST(ExampleRanking, LimComparesWithTheMeanOverTheShortestHistory) {
  const std::vector<ExampleHistory> histories = {
      {"on it", {0.4, 0.6, 0}}, {"above", {0.8, 1}}, {"below", {0, 0.2, 1, 1}}};
  EXPECT_EQ(lim_length(histories), 2);
  const std::vector<RankedExample> ranked =
      rank_examples(histories, {.method = RankingMethod::kLim});
  EXPECT_EQ(ranked[0].id, "on it");
  EXPECT_NEAR(ranked[0].score, 1, 1e-15);
  EXPECT_NEAR(ranked[1].score, 1 - 0.32 / 0.52, 1e-15);
  EXPECT_EQ(ranked[1].last_tied, 3);
  const std::vector<ExampleHistory> solved = {{"a", {1, 1}}, {"b", {1, 1}}};
  EXPECT_EQ(rank_examples(solved, {.method = RankingMethod::kLim})[1].score, 1);
}

TEST(ExampleRanking, RandomIsAFunctionOfTheSeed) {
  std::vector<ExampleHistory> histories;
  for (int i = 0; i < 50; ++i) histories.push_back({std::to_string(i), {}});
  const auto with_seed = [&](uint64_t seed) {
    return ids_of(rank_examples(histories, {.method = RankingMethod::kRandom, .seed = seed}));
  };
  EXPECT_EQ(with_seed(1), with_seed(1));
  EXPECT_NE(with_seed(1), with_seed(2));
  EXPECT_EQ(with_seed(1).size(), 50u);
}

TEST(ExampleRanking, WhatWasNeverSeenIsNotRanked) {
  const std::vector<ExampleHistory> histories = {{"unseen", {}}, {"seen", {0.5}}};
  EXPECT_EQ(ranking(histories, RankingMethod::kStd), Ids{"seen"});
  EXPECT_EQ(ranking(histories, RankingMethod::kLim), Ids{"seen"});
}

TEST(ExampleRanking, SampleHistoriesHaveTheReferencesScores) {
  COVRL_REQUIRE_VECTORS(path, "data_selection");
  const Json reference = testing::vector_cases(path).at(0);
  int num_checked = 0;
  for (const auto& [id, values] : reference.at("sample_histories").items()) {
    const auto& order = reference.at("pi_to_index");
    const auto rank = std::find(order.begin(), order.end(), std::stoll(id)) - order.begin();
    if (rank >= 20) continue;
    const std::vector<ExampleHistory> history = {{id, values.get<std::vector<double>>()}};
    EXPECT_EQ(rank_examples(history, {})[0].score, reference.at("std_first_20").at(rank)) << id;
    ++num_checked;
  }
  EXPECT_GT(num_checked, 0);
}

TEST(ExampleRanking, TheRealHistoryGivesThePublishedRanking) {
  COVRL_REQUIRE_VECTORS(path, "data_selection");
  const std::string history = testing::reference_path("data/oneshot/acc_step_500.json");
  COVRL_REQUIRE_REFERENCE(history);
  const Json reference = testing::vector_cases(path).at(0);
  const std::vector<ExampleHistory> histories = read_example_histories(history);
  const std::vector<RankedExample> ranked = rank_examples(histories, {});
  ASSERT_EQ(ranked.size(), reference.at("n_examples").get<size_t>());
  for (size_t i = 0; i < ranked.size(); ++i)
    EXPECT_EQ(ranked[i].id, std::to_string(reference.at("pi_to_index").at(i).get<int>())) << i + 1;
  for (size_t i = 0; i < 20; ++i)
    EXPECT_EQ(ranked[i].score, reference.at("std_first_20").at(i).get<double>());
  EXPECT_EQ(ranked[0].id, "124");
  EXPECT_EQ(ranked[1].id, "267");
  EXPECT_EQ(ranked[12].id, "682");
  const RankedExample& last = ranked.back();
  EXPECT_EQ(last.last_tied - last.first_tied + 1, reference.at("num_zero_std").get<int64_t>());
  size_t shortest = 1000, longest = 0;
  for (const ExampleHistory& one : histories) {
    shortest = std::min(shortest, one.accuracy.size());
    longest = std::max(longest, one.accuracy.size());
  }
  EXPECT_EQ(shortest, reference.at("history_len_min").get<size_t>());
  EXPECT_EQ(longest, reference.at("history_len_max").get<size_t>());
  for (size_t i = 0; i < reference.at("json_key_order_head").size(); ++i)
    EXPECT_EQ(histories[i].id, reference.at("json_key_order_head").at(i).get<std::string>());
  for (const auto& [id, values] : reference.at("sample_histories").items()) {
    const auto found = std::find_if(histories.begin(), histories.end(),
                                    [&, id = id](const auto& one) { return one.id == id; });
    ASSERT_NE(found, histories.end());
    EXPECT_EQ(found->accuracy, values.get<std::vector<double>>()) << id;
  }
}

}  // namespace
}  // namespace covrl
