#include "rl/saturation.h"

#include <gtest/gtest.h>

namespace covrl {
namespace {

constexpr const char* kTest = "val-core/test/acc/mean@4";

Metrics outcomes(double correct, double wrong, double unparsed = 0, double failed = 0) {
  Metrics row;
  row.set("verifier/correct", correct);
  row.set("verifier/wrong", wrong);
  row.set("verifier/unparsed", unparsed);
  row.set("verifier/failed", failed);
  return row;
}

// Steps from 1, with `correct` of 100 responses right.
MetricRows steps_of(const std::vector<double>& correct) {
  MetricRows rows;
  for (size_t i = 0; i < correct.size(); ++i)
    rows.emplace_back(static_cast<int64_t>(i + 1), outcomes(correct[i], 100 - correct[i]));
  return rows;
}

std::optional<int64_t> since(const MetricRows& rows, double accuracy = 0.99) {
  SaturationWatch watch(accuracy);
  watch.replay(rows);
  return watch.since();
}

TEST(Saturation, AccuracyIsOfTheResponsesThatWereJudged) {
  EXPECT_EQ(training_accuracy(outcomes(3, 2, 1, 10)), 0.5);
  EXPECT_FALSE(training_accuracy(outcomes(0, 0, 0, 4)));
  EXPECT_FALSE(training_accuracy(Metrics()));
}

TEST(Saturation, SinceTheMeanOfFiveStepsHasStayedUp) {
  EXPECT_FALSE(since({}));
  EXPECT_FALSE(since(steps_of({100, 100, 100, 100})));  // not five yet
  EXPECT_EQ(since(steps_of({100, 100, 100, 100, 100})), 5);
  EXPECT_EQ(since(steps_of({10, 100, 100, 100, 100, 100, 100})), 6);
  // A miss does not end it, a fall does.
  EXPECT_EQ(since(steps_of({100, 100, 100, 100, 100, 96, 100, 100})), 5);
  EXPECT_FALSE(since(steps_of({100, 100, 100, 100, 100, 90, 100, 100})));
  EXPECT_EQ(since(steps_of({100, 100, 100, 100, 100, 90, 100, 100, 100, 100, 100})), 11);
  EXPECT_EQ(since(steps_of({50, 60, 70, 80, 90}), 0.7), 5);
  EXPECT_EQ(since(steps_of({97, 100, 100, 98, 100})), 5);  // 99 % to the last digit
  EXPECT_FALSE(since(steps_of({97, 100, 100, 97, 100})));
}

TEST(Saturation, IsWrittenIntoTheRowsAndReadBack) {
  const MetricRows run = steps_of({100, 100, 100, 100, 100, 100, 0, 100});
  MetricRows written = run;
  SaturationWatch watch(0.99);
  for (auto& [step, row] : written) watch.add(step, row);
  EXPECT_EQ(written[3].second.find("train/saturated_since"), nullptr);
  EXPECT_EQ(written[5].second.at("train/saturated_since"), 5);
  EXPECT_EQ(written[6].second.find("train/saturated_since"), nullptr);
  for (size_t cut = 0; cut <= run.size(); ++cut) {
    SaturationWatch resumed(0.99);
    resumed.replay({written.begin(), written.begin() + static_cast<ptrdiff_t>(cut)});
    for (size_t i = cut; i < run.size(); ++i) {
      Metrics row = run[i].second;
      resumed.add(run[i].first, row);
      EXPECT_EQ(row.entries(), written[i].second.entries()) << cut;
    }
  }
}

MetricRows evaluated_run() {
  MetricRows rows = steps_of(std::vector<double>(12, 100));
  rows[1].second.set(kTest, 0.5);
  rows[3].second.set(kTest, 0.6);
  rows[7].second.set(kTest, 0.8);
  rows[11].second.set(kTest, 0.7);
  return rows;
}

TEST(Saturation, WhatMovedSince) {
  const std::optional<MovedSince> moved = moved_since(evaluated_run(), kTest, 5);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->before_step, 4);
  EXPECT_EQ(moved->before, 0.6);
  EXPECT_EQ(moved->last_step, 12);
  EXPECT_EQ(moved->last, 0.7);
  EXPECT_EQ(moved->best_step, 8);
  EXPECT_EQ(moved->best, 0.8);
  EXPECT_EQ(moved_since(evaluated_run(), kTest, 1)->before_step, 2);  // none earlier
  EXPECT_FALSE(moved_since(evaluated_run(), kTest, 12));
  EXPECT_FALSE(moved_since(evaluated_run(), "absent", 5));
}

TEST(Saturation, InWords) {
  EXPECT_EQ(saturation_text(evaluated_run(), 0.99, kTest),
            "Saturated since step 5 (training accuracy 99 % or more). Since then: test, mean@4 "
            "60.0 -> 70.0 %, best 80.0 % at step 8");
  EXPECT_EQ(saturation_text(evaluated_run(), 0.99, ""),
            "Saturated since step 5 (training accuracy 99 % or more).");
  EXPECT_EQ(saturation_text(steps_of({0, 0, 0, 0, 0, 0}), 0.99, kTest), "");
}

}  // namespace
}  // namespace covrl
