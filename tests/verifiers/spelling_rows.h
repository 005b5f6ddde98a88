// A line a gold answer: what says the same, what does not.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "verifiers/math_judge.h"

namespace covrl::testing {

using Texts = std::vector<const char*>;

struct Row {
  const char* gold;
  Texts same;
  Texts other;
};

// In a box and bare, and both ways round where they differ.
inline void expect_rows(const std::vector<Row>& rows) {
  const auto outcome = [](const std::string& gold, const std::string& answer) {
    EXPECT_EQ(judge_math("so \\boxed{" + answer + "}.", gold, {}).outcome,
              compare_answers(gold, answer, {}))
        << gold << "  against  " << answer;
    return compare_answers(gold, answer, {});
  };
  for (const Row& row : rows) {
    for (const char* answer : row.same)
      EXPECT_EQ(outcome(row.gold, answer), Outcome::kCorrect) << row.gold << "  is  " << answer;
    for (const char* answer : row.other) {
      EXPECT_EQ(outcome(row.gold, answer), Outcome::kWrong) << row.gold << "  is not  " << answer;
      EXPECT_NE(outcome(answer, row.gold), Outcome::kCorrect) << answer << "  is not  " << row.gold;
    }
  }
}

}  // namespace covrl::testing
