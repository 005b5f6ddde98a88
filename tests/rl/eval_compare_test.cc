#include "rl/evaluation/eval_compare.h"

#include <gtest/gtest.h>

#include "rl/evaluation/eval_statistics.h"
#include "tests/rl/eval_rows_fixture.h"

namespace covrl::testing {
namespace {

TEST(EvalCompare, CountsProblemsAndReportsWhatHasNoPartner) {
  const std::vector<EvalRow> a = {
      eval_row("won", 0, Outcome::kWrong, "1"), eval_row("lost", 0, Outcome::kCorrect),
      eval_row("tied", 0, Outcome::kCorrect), eval_row("failed", 0, Outcome::kFailed),
      eval_row("only a", 0, Outcome::kCorrect)};
  std::vector<EvalRow> b = {
      eval_row("tied", 0, Outcome::kCorrect), eval_row("lost", 0, Outcome::kUnparsed, ""),
      eval_row("won", 0, Outcome::kCorrect), eval_row("failed", 0, Outcome::kCorrect),
      eval_row("only b", 0, Outcome::kCorrect)};
  b[2].gold = "8";
  const Comparison result = compare_evaluations(a, b).at(0);
  EXPECT_EQ(result.num_problems, 3);
  EXPECT_EQ(result.won, 1);
  EXPECT_EQ(result.lost, 1);
  EXPECT_EQ(result.difference, 0);
  EXPECT_EQ(result.p_value, 1);
  EXPECT_EQ(result.only_a, std::vector<std::string>{"only a"});
  EXPECT_EQ(result.only_b, std::vector<std::string>{"only b"});
  EXPECT_EQ(result.unusable, std::vector<std::string>{"failed"});
  EXPECT_EQ(result.other_gold, std::vector<std::string>{"won"});
}

TEST(EvalCompare, ASetThatOneAloneHasIsNotHidden) {
  std::vector<EvalRow> a = {eval_row("x", 0, Outcome::kCorrect)}, b = a;
  b[0].benchmark = "other";
  const std::vector<Comparison> results = compare_evaluations(a, b);
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].benchmark, "other");
  EXPECT_EQ(results[0].num_problems, 0);
  EXPECT_EQ(results[0].only_b.size(), 1U);
  EXPECT_EQ(results[1].only_a.size(), 1U);
}

// The interval is that of the differences, so what makes problems hard for both does not widen it.
TEST(EvalCompare, TheIntervalIsPaired) {
  std::vector<EvalRow> a, b;
  std::vector<double> differences;
  for (int i = 0; i < 60; ++i) {
    const bool easy = i % 2 == 0, gained = i % 15 == 1;
    const std::string id = std::to_string(1000 + i);
    a.push_back(eval_row(id, 0, easy ? Outcome::kCorrect : Outcome::kWrong));
    b.push_back(eval_row(id, 0, easy || gained ? Outcome::kCorrect : Outcome::kWrong));
    differences.push_back(!easy && gained);
  }
  const Comparison result = compare_evaluations(a, b).at(0);
  EXPECT_EQ(result.accuracy_a, 0.5);
  EXPECT_DOUBLE_EQ(result.difference, mean(differences));
  EXPECT_EQ(std::pair(result.low, result.high), bootstrap_interval(differences));
  EXPECT_EQ(result.won, 2);
  EXPECT_EQ(result.lost, 0);
  EXPECT_DOUBLE_EQ(result.p_value, 0.5);
}

TEST(EvalCompare, ComparedTheOtherWayRoundItIsTheOpposite) {
  const std::vector<EvalRow> a = random_rows(1, 40, 4), b = random_rows(2, 40, 4);
  const Comparison forth = compare_evaluations(a, b).at(0), back = compare_evaluations(b, a).at(0);
  EXPECT_EQ(forth.difference, -back.difference);
  EXPECT_EQ(forth.won, back.lost);
  EXPECT_EQ(forth.p_value, back.p_value);
  EXPECT_EQ(forth.num_problems, back.num_problems);
}

}  // namespace
}  // namespace covrl::testing
