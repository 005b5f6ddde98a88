// Statistics over seeds, against values worked out by hand.
#include "rl/sweep/sweep_results.h"

#include <gtest/gtest.h>

namespace covrl {
namespace {

constexpr const char* kTest = "val-core/test/acc/mean@4";

// Accuracy at steps 0, 10, 20.
MetricCurve curve(double before, double middle, double last) {
  MetricCurve points;
  for (const auto& [step, value] :
       std::vector<std::pair<int64_t, double>>{{0, before}, {10, middle}, {20, last}}) {
    Metrics metrics;
    metrics.set(kTest, value);
    metrics.set("val-core/test/acc/greedy", 1);
    metrics.set("val-core/train/acc/mean@4", 1);
    metrics.set("val-core/other/acc/greedy", 0.5);
    if (step > 0) metrics.set("rollout/entropy", value / 10);
    points.emplace_back(step, metrics);
  }
  return points;
}

SweepResult result_of(const std::vector<MetricCurve>& curves, size_t num_wanted) {
  VariantResult variant;
  variant.variant.name = "v";
  variant.curves = curves;
  variant.runs.resize(curves.size());
  variant.num_wanted = num_wanted;
  SweepResult result;
  result.section.seeds.assign(num_wanted, 0);
  result.variants = {variant};
  return result;
}

TEST(SweepResults, MeanAndSampleDeviationBeforeLastAndBest) {
  const SweepResult result =
      result_of({curve(.2, .7, .6), curve(.2, .3, .4), curve(.2, .4, .5)}, 3);
  EXPECT_EQ(headline_metrics(result),
            (std::vector<std::string>{kTest, "val-core/other/acc/greedy"}));
  const ReportTable table = headline_table(result);
  ASSERT_EQ(table.rows.size(), 1u);
  // Last: .6, .4, .5. Best: .7, .4, .5, mean 16/30, deviation sqrt(.07 / 3).
  EXPECT_EQ(table.rows[0],
            (std::vector<std::string>{"v", "3", "20.0 ± 0.0 %", "50.0 ± 10.0 %", "53.3 ± 15.3 %",
                                      "50.0 ± 0.0 %", "50.0 ± 0.0 %", "50.0 ± 0.0 %"}));
  EXPECT_EQ(accuracy_of(result.variants[0], kTest).best_steps, (std::vector<int64_t>{10, 20, 20}));
  EXPECT_EQ(training_table(result).rows[0][2], "0.0500 ± 0.0100");
  const auto points = mean_curve(result.variants[0], kTest);
  ASSERT_EQ(points.size(), 3u);
  EXPECT_NEAR(points[1].second, (.7 + .3 + .4) / 3, 1e-15);
}

TEST(SweepResults, TheBestIsNeverTheStartAndTheLatestOfEquals) {
  const SweepResult result = result_of({curve(.9, .4, .3), curve(.2, .5, .5)}, 2);
  const AccuracyOfRuns accuracy = accuracy_of(result.variants[0], kTest);
  EXPECT_EQ(accuracy.best_steps, (std::vector<int64_t>{10, 20}));
  EXPECT_EQ(accuracy.best, (std::vector<double>{.4, .5}));
  EXPECT_EQ(accuracy.before, (std::vector<double>{.9, .2}));
}

TEST(SweepResults, OneSeedHasNoSpreadAndMissingRunsAreNamed) {
  const SweepResult one = result_of({curve(.2, .7, .6)}, 1);
  EXPECT_EQ(headline_table(one).rows[0][3], "60.0 %");
  EXPECT_NE(result_notes(one)[0].find("One run each"), std::string::npos);
  const SweepResult missing = result_of({curve(.2, .7, .6)}, 3);
  EXPECT_EQ(headline_table(missing).rows[0][1], "1 of 3");
  EXPECT_NE(result_notes(missing).back().find("2 of 3 runs"), std::string::npos);
  SweepRun ended;
  ended.seed = 2;
  SweepResult alarm = result_of({curve(.2, .7, .6)}, 3);
  alarm.variants[0].alarm_ends = {{ended, 12}};
  EXPECT_EQ(headline_table(alarm).rows[0][1], "1 of 3, 1 ended by an alarm at step 12");
  EXPECT_EQ(headline_table(alarm).rows[0][3], "60.0 %");
  const std::vector<std::string> notes = result_notes(alarm);
  EXPECT_NE(notes.back().find("1 of 3 runs did not come to their end"), std::string::npos);
  EXPECT_NE(notes[notes.size() - 2].find("(seed 2 at step 12)"), std::string::npos);
  SweepResult none = result_of({curve(.2, .7, .6)}, 1);
  none.variants.push_back({{"w", "", {}, {}, ""}, {}, {}, 1});
  EXPECT_EQ(headline_table(none).rows[1][3], "-");
}

}  // namespace
}  // namespace covrl
