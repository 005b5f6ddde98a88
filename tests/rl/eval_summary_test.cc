#include "rl/evaluation/eval_summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/error.h"
#include "rl/evaluation/eval_metrics.h"
#include "tests/rl/eval_rows_fixture.h"

namespace covrl::testing {
namespace {

const std::vector<std::string> kWords = {"recheck"};

// Responses that count, by problem.
std::map<std::string, std::vector<EvalRow>> usable_problems(const std::vector<EvalRow>& rows) {
  std::map<std::string, std::vector<EvalRow>> problems;
  for (const EvalRow& row : rows)
    if (row.finish_reason != FinishReason::kFailed && row.verdict.outcome != Outcome::kFailed)
      problems[row.id].push_back(row);
  return problems;
}

double share_of(const std::vector<EvalRow>& rows, const std::function<bool(const EvalRow&)>& is) {
  return static_cast<double>(std::ranges::count_if(rows, is)) / static_cast<double>(rows.size());
}

bool is_correct(const EvalRow& row) { return row.verdict.outcome == Outcome::kCorrect; }

// Brute force: over all subsets of k responses (all, where there are fewer), whether one is right.
double pass_by_enumeration(const std::vector<EvalRow>& rows, size_t k) {
  const auto size = static_cast<int>(std::min(k, rows.size()));
  int64_t subsets = 0, hits = 0;
  for (uint32_t set = 0; set < (1u << rows.size()); ++set) {
    if (std::popcount(set) != size) continue;
    ++subsets;
    bool hit = false;
    for (size_t i = 0; i < rows.size(); ++i) hit = hit || ((set >> i & 1) && is_correct(rows[i]));
    hits += hit;
  }
  return static_cast<double>(hits) / static_cast<double>(subsets);
}

TEST(EvalSummary, EqualsCountingByHandOnRandomRows) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<EvalRow> rows = random_rows(seed, 13, 5);
    const std::vector<EvalResult> results = summarise(rows, kWords);
    ASSERT_EQ(results.size(), 1U);
    ASSERT_TRUE(results[0].sampled && !results[0].greedy);
    const ResponseStatistics& statistics = *results[0].sampled;
    std::vector<EvalRow> counted;
    double accuracy = 0, pass_2 = 0, pass_5 = 0, entropy = 0, tokens = 0;
    const auto problems = usable_problems(rows);
    for (const auto& [id, problem] : problems) {
      counted.insert(counted.end(), problem.begin(), problem.end());
      accuracy += share_of(problem, is_correct);
      pass_2 += pass_by_enumeration(problem, 2);
      pass_5 += pass_by_enumeration(problem, 5);
      for (const EvalRow& row : problem) {
        entropy += *row.mean_entropy * static_cast<double>(row.num_tokens);
        tokens += static_cast<double>(row.num_tokens);
      }
    }
    const auto n = static_cast<double>(problems.size());
    EXPECT_NEAR(statistics.accuracy, accuracy / n, 1e-12);
    ASSERT_EQ(statistics.pass.size(), 3U);
    EXPECT_NEAR(statistics.pass[0].second, pass_2 / n, 1e-12);
    EXPECT_NEAR(statistics.pass[2].second, pass_5 / n, 1e-12);
    EXPECT_NEAR(statistics.entropy, entropy / tokens, 1e-12);
    EXPECT_EQ(statistics.num_responses, std::ssize(counted));
    EXPECT_EQ(statistics.num_failed, std::ssize(rows) - std::ssize(counted));
    EXPECT_EQ(statistics.num_samples, 5);
    EXPECT_NEAR(
        statistics.truncated,
        share_of(counted,
                 [](const EvalRow& row) { return row.finish_reason == FinishReason::kLength; }),
        1e-12);
    const double unparsed = share_of(
        counted, [](const EvalRow& row) { return row.verdict.outcome == Outcome::kUnparsed; });
    EXPECT_NEAR(statistics.parsed, 1 - unparsed, 1e-12);
    EXPECT_NEAR(statistics.boxed, 1 - unparsed, 1e-12);
    EXPECT_NEAR(statistics.reflection, unparsed, 1e-12);
  }
}

void expect_equal(const ResponseStatistics& a, const ResponseStatistics& b) {
  EXPECT_EQ(a.accuracy, b.accuracy);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_EQ(a.pass, b.pass);
  EXPECT_EQ(a.majority, b.majority);
  EXPECT_EQ(a.length, b.length);
  EXPECT_EQ(a.entropy, b.entropy);
}

TEST(EvalSummary, DoesNotDependOnTheOrderOfTheRows) {
  std::vector<EvalRow> rows = random_rows(3, 17, 3);
  const ResponseStatistics wanted = *summarise(rows, kWords)[0].sampled;
  Sequence random(4, Stream::kTest);
  for (int round = 0; round < 5; ++round) {
    std::vector<EvalRow> shuffled;
    for (const int64_t place : permutation(std::ssize(rows), random))
      shuffled.push_back(rows[static_cast<size_t>(place)]);
    expect_equal(*summarise(shuffled, kWords)[0].sampled, wanted);
  }
}

TEST(EvalSummary, DegenerateResponsesAreCounted) {
  std::vector<EvalRow> rows;
  for (int64_t sample = 0; sample < 4; ++sample)
    rows.push_back(eval_row("a", sample, Outcome::kWrong, "3"));
  for (int i = 0; i < 30; ++i)
    rows[1].response += " so", rows[2].response += "!", rows[3].response += "?";
  rows[3].finish_reason = FinishReason::kFailed;
  const EvalResult result = summarise(rows, kWords).at(0);
  EXPECT_NEAR(result.sampled->degenerate, 2.0 / 3, 1e-12);
  Metrics metrics;
  add_eval_metrics(result, metrics);
  EXPECT_EQ(metrics.at("val-aux/set/degenerate"), result.sampled->degenerate);
}

TEST(EvalSummary, GreedyAndSampledResponsesAreToldApart) {
  std::vector<EvalRow> rows = {eval_row("a", 0, Outcome::kCorrect),
                               eval_row("a", 1, Outcome::kWrong, "3"),
                               eval_row("a", 0, Outcome::kWrong, "3")};
  rows[2].decoding = Decoding::kGreedy;
  const EvalResult result = summarise(rows, kWords).at(0);
  EXPECT_EQ(result.num_problems, 1);
  EXPECT_EQ(result.sampled->accuracy, 0.5);
  EXPECT_EQ(result.greedy->accuracy, 0);
  EXPECT_EQ(&result.main(), &*result.sampled);
}

TEST(EvalSummary, WhatFailedIsLeftOutAndNeverZero) {
  std::vector<EvalRow> rows = {eval_row("a", 0, Outcome::kCorrect),
                               eval_row("b", 0, Outcome::kFailed)};
  EXPECT_EQ(summarise(rows, kWords).at(0).sampled->accuracy, 1);
  EXPECT_EQ(summarise(rows, kWords).at(0).num_problems, 2);
  rows.erase(rows.begin());
  const EvalResult nothing = summarise(rows, kWords).at(0);
  EXPECT_TRUE(std::isnan(nothing.sampled->accuracy));
  EXPECT_EQ(nothing.num_failed(), 1);
  Metrics metrics;
  add_eval_metrics(nothing, metrics);
  EXPECT_EQ(metrics.find("val-core/set/acc/mean@1"), nullptr);
  EXPECT_EQ(metrics.at("val-aux/set/failed"), 1);
}

TEST(EvalSummary, AVerifierThatDoesNotSayWhatItFoundHasNoMajority) {
  std::vector<EvalRow> rows = {
      eval_row("a", 0, Outcome::kCorrect, ""), eval_row("a", 1, Outcome::kWrong, ""),
      eval_row("b", 0, Outcome::kCorrect, ""), eval_row("b", 1, Outcome::kCorrect, "")};
  const EvalResult result = summarise(rows, kWords).at(0);
  EXPECT_EQ(result.sampled->accuracy, 0.75);
  EXPECT_TRUE(std::isnan(result.sampled->majority));
  Metrics metrics;
  add_eval_metrics(result, metrics);
  EXPECT_EQ(metrics.find("val-core/set/acc/maj@2"), nullptr);
  // A response without an answer is none that a verifier kept for itself.
  for (EvalRow& row : rows) row = eval_row(row.id, row.sample, Outcome::kUnparsed, "");
  EXPECT_EQ(summarise(rows, kWords).at(0).sampled->majority, 0);
}

TEST(EvalSummary, GroupsOfAFieldHoldTheWholeBetweenThem) {
  std::vector<EvalRow> rows = random_rows(5, 12, 2);
  rows[0].fields.clear();
  rows[1].fields.clear();
  const std::vector<EvalResult> results = summarise_by(rows, "level", kWords);
  ASSERT_EQ(results.size(), 4U);
  std::vector<std::string> groups;
  int64_t problems = 0, responses = 0;
  for (const EvalResult& result : results) {
    groups.push_back(result.group);
    problems += result.num_problems;
    responses += result.sampled->num_responses + result.sampled->num_failed;
  }
  EXPECT_EQ(groups, (std::vector<std::string>{"-", "0", "1", "2"}));
  EXPECT_EQ(problems, 12);
  EXPECT_EQ(responses, 24);
  try {
    summarise_by(rows, "subject", kWords);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the fields are level"), std::string::npos);
  }
}

TEST(EvalSummary, StepsAndCheckpointsAreResultsOfTheirOwn) {
  std::vector<EvalRow> rows = random_rows(6, 3, 1);
  rows[0].step = 0;
  rows[1].step = 20;
  rows[2].step = 20;
  rows[2].checkpoint = "other";
  const std::vector<EvalResult> results = summarise(rows, kWords);
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[1].step, 20);
  EXPECT_EQ(results[2].checkpoint, "other");
}

}  // namespace
}  // namespace covrl::testing
