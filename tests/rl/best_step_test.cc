#include "rl/evaluation/best_step.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace covrl {
namespace {

EvalResult result(int64_t step, const std::string& name, double accuracy) {
  EvalResult made;
  made.name = name;
  made.step = step;
  made.greedy.emplace();
  made.greedy->accuracy = accuracy;
  return made;
}

std::vector<StepAccuracy> run() {
  return step_accuracies({result(0, "a", 0.9), result(0, "b", 0.9), result(20, "a", 0.2),
                          result(20, "b", 0.6), result(40, "a", 0.5), result(40, "b", 0.25),
                          result(60, "a", 0.3), result(60, "b", 0.1)});
}

TEST(BestStep, IsOfTheTrainedOnesByTheAverageOrTheChosenSets) {
  EXPECT_EQ(best_step(run(), {}).step, 20);
  EXPECT_EQ(best_step(run(), {"a"}).step, 40);
  EXPECT_EQ(best_step(run(), {"b", "a"}).step, 20);
  EXPECT_EQ(best_step({run().front()}, {}).step, 0);
  try {
    best_step(run(), {"c"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("sets are a, b"), std::string::npos) << error.what();
  }
}

TEST(BestStep, AStepWithoutAResultIsNeverTheBest) {
  const double none = std::nan("");
  const auto best = [](const std::vector<EvalResult>& results) {
    return best_step(step_accuracies(results), {}).step;
  };
  EXPECT_EQ(best({result(1, "a", none), result(2, "a", 0.1), result(3, "a", none)}), 2);
  EXPECT_EQ(best({result(0, "a", 0.5), result(1, "a", none)}), 0);
  EXPECT_EQ(best({result(0, "a", none), result(1, "a", none), result(2, "a", none)}), 2);
}

TEST(BestStep, IsTheSameForAllThatAskWithStepsAndValues) {
  EXPECT_EQ(best_place({{0, 0.9}, {10, 0.5}, {20, 0.5}, {30, 0.4}}), 2u);
  EXPECT_EQ(best_place({{0, 0.9}}), 0u);
}

TEST(BestStep, TheLatestOfEqualsIsTaken) {
  EXPECT_EQ(best_step(step_accuracies({result(1, "a", 0.5), result(2, "a", 0.5)}), {}).step, 2);
}

TEST(BestStep, StepsWithoutAllSetsAreLeftOut) {
  const std::vector<StepAccuracy> steps =
      step_accuracies({result(1, "a", 0.5), result(1, "b", 0.5), result(2, "a", 1)});
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].step, 1);
  Metrics one, both;
  one.set("x", 0.5);
  both.set("x", 0.25);
  both.set("y", 0.75);
  const std::vector<StepAccuracy> read =
      step_accuracies({{0, one}, {10, both}}, {{"a", "x"}, {"b", "y"}});
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].step, 10);
  EXPECT_EQ(read[0].sets[1].second, 0.75);
}

TEST(BestStep, LastAndBestAreToldApart) {
  const LastAndBest told = last_and_best(run(), {});
  EXPECT_EQ(told.text,
            "Last step (60): a 30.0 %, b 10.0 %; average 20.0 %\n"
            "Best step (20): a 20.0 %, b 60.0 %; average 40.0 %; chosen on a, b");
  EXPECT_NE(told.warning.find("chosen on a, b itself"), std::string::npos);
}

TEST(BestStep, ChosenOnAnotherSetNeedsNoWarning) {
  const LastAndBest told = last_and_best(run(), {"a"});
  EXPECT_EQ(told.text,
            "Last step (60): a 30.0 %, b 10.0 %\n"
            "Best step (40): a 50.0 %, b 25.0 %; chosen on a");
  EXPECT_EQ(told.warning, "");
  EXPECT_NE(last_and_best(run(), {"a", "b"}).warning, "");
}

TEST(BestStep, TheLastAsTheBestNeedsNone) {
  EXPECT_EQ(last_and_best(step_accuracies({result(1, "a", 0.4), result(2, "a", 0.5)}), {}).warning,
            "");
  EXPECT_EQ(last_and_best({}, {}).text, "");
}

TEST(BestStep, TableHasARowForEachStep) {
  const ReportTable table = step_table(run());
  EXPECT_EQ(table.columns, (std::vector<std::string>{"step", "a", "b", "average"}));
  ASSERT_EQ(table.rows.size(), 4u);
  EXPECT_EQ(table.rows[1], (std::vector<std::string>{"20", "20.0 %", "60.0 %", "40.0 %"}));
}

}  // namespace
}  // namespace covrl
