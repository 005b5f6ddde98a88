#include "rl/entropy_watch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/entropy_runs.h"

namespace covrl {
namespace {

using testing::kAccuracy;
using testing::lawful_run;
using Rows = std::vector<std::pair<int64_t, Metrics>>;

Rows watched(Rows rows, EntropyWatch& watch) {
  for (auto& [step, row] : rows) watch.add(step, row);
  return rows;
}

TEST(EntropyWatch, PairsAnEvaluationWithTheRolloutOfTheSameWeights) {
  EntropyWatch watch(kAccuracy);
  const Rows rows = watched(lawful_run(9, 0.25, 0.75), watch);
  ASSERT_EQ(watch.points().size(), 9u);  // steps 0 to 8: the last one has no rollout after it
  for (size_t i = 0; i < watch.points().size(); ++i) {
    EXPECT_EQ(watch.points()[i].step, static_cast<int64_t>(i));
    EXPECT_EQ(watch.points()[i].entropy, rows[i + 1].second.at("rollout/entropy"));
    EXPECT_EQ(watch.points()[i].reward, rows[i].second.at(kAccuracy));
  }
  EXPECT_EQ(rows[4].second.find("ceiling/a"), nullptr);  // four points
  for (size_t step = 5; step < rows.size(); ++step) {
    EXPECT_NEAR(rows[step].second.at("ceiling/a"), 0.25, 1e-9);
    EXPECT_NEAR(rows[step].second.at("ceiling/predicted"), 0.5, 1e-9);
    EXPECT_NEAR(rows[step].second.at("ceiling/r2"), 1, 1e-9);
  }
}

TEST(EntropyWatch, ARowTellsWhatTheStepBeforeDid) {
  EntropyWatch watch(kAccuracy);
  const Rows rows = watched(lawful_run(6, 0.25, 0.75), watch);
  ASSERT_EQ(watch.changes().size(), 5u);
  EXPECT_EQ(watch.changes()[0].step, 1);
  EXPECT_EQ(rows[1].second.find("entropy_ctrl/delta_measured"), nullptr);
  EXPECT_EQ(rows[3].second.find("entropy_ctrl/delta_predicted"), nullptr);
  // The run's entropy falls by twice the covariance.
  for (size_t step = 4; step < rows.size(); ++step) {
    const Metrics& row = rows[step].second;
    EXPECT_NEAR(row.at("entropy_ctrl/delta_measured"),
                -2 * rows[step - 1].second.at("entropy_ctrl/cov_mean"), 1e-12);
    EXPECT_NEAR(row.at("entropy_ctrl/delta_predicted"), row.at("entropy_ctrl/delta_measured"),
                1e-12);
    EXPECT_NEAR(row.at("entropy_ctrl/eta"), 2, 1e-9);
    EXPECT_NEAR(row.at("entropy_ctrl/delta_correlation"), 1, 1e-9);
  }
}

TEST(EntropyWatch, ReadBackAfterAnInterruptionItGoesOnWithTheSameBits) {
  const Rows run = lawful_run(12, 0.25, 0.75, /*noise=*/0.003);
  EntropyWatch whole(kAccuracy);
  const Rows wanted = watched(run, whole);
  for (size_t cut = 0; cut <= run.size(); ++cut) {
    EntropyWatch resumed(kAccuracy);
    resumed.replay({wanted.begin(), wanted.begin() + static_cast<ptrdiff_t>(cut)});
    const Rows rest = watched({run.begin() + static_cast<ptrdiff_t>(cut), run.end()}, resumed);
    for (size_t i = 0; i < rest.size(); ++i)
      EXPECT_EQ(rest[i].second.entries(), wanted[cut + i].second.entries()) << cut;
  }
}

TEST(EntropyWatch, HolesMakeNoPairs) {
  Rows run = lawful_run(9, 0.25, 0.75);
  run.erase(run.begin() + 4);
  run[6].second.set("rollout/entropy", std::numeric_limits<double>::quiet_NaN());
  EntropyWatch watch(kAccuracy);
  watched(run, watch);
  for (const EntropyWatch::Change& change : watch.changes()) {
    EXPECT_NE(change.step, 3);  // the row after it is missing
    EXPECT_TRUE(std::isfinite(change.outcome.measured));
  }
  EXPECT_EQ(watch.points().size(), 9u - 3u);
  EntropyWatch nothing("");
  Metrics empty;
  nothing.add(0, empty);
  EXPECT_TRUE(empty.empty());
}

}  // namespace
}  // namespace covrl
