#include "rl/alarms.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"

namespace covrl {
namespace {

using Rows = std::vector<std::pair<int64_t, Metrics>>;

Rows rows_of(const std::vector<double>& entropy, const std::vector<double>& degenerate = {}) {
  Rows rows;
  for (size_t i = 0; i < entropy.size(); ++i) {
    Metrics row;
    row.set("rollout/entropy", entropy[i]);
    if (i < degenerate.size()) row.set("rollout/degenerate", degenerate[i]);
    rows.emplace_back(static_cast<int64_t>(i + 1), std::move(row));
  }
  return rows;
}

// What began to ring, as "name@step".
std::vector<std::string> rings(const AlarmsConfig& config, Rows& rows) {
  Alarms alarms(config);
  std::vector<std::string> begun;
  for (auto& [step, row] : rows)
    for (const Alarm& alarm : alarms.add(step, row))
      begun.push_back(concat(alarm.name, "@", alarm.step));
  return begun;
}

using Begun = std::vector<std::string>;

AlarmsConfig with_window(int64_t window) {
  AlarmsConfig config;
  config.window = window;
  return config;
}

TEST(Alarms, NoneByDefault) {
  Rows rows = rows_of({0, 100, 0, 0, 0, 0, 0});
  EXPECT_EQ(rings({}, rows), Begun());
  EXPECT_EQ(rows.back().second.entries().size(), 1u);
  EXPECT_FALSE(AlarmsConfig().ends_run());
}

TEST(Alarms, TheFloorRingsOnceAWholeWindowIsBelowIt) {
  AlarmsConfig config = with_window(3);
  config.entropy_floor = 0.5;
  Rows rows = rows_of({0.4, 0.4, 0.5, 0.4, 0.3, 0.2, 0.1, 0.6, 0.1, 0.1, 0.1});
  EXPECT_EQ(rings(config, rows), Begun({"entropy_floor@6", "entropy_floor@11"}));
  const std::vector<double> wanted = {0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1};
  for (size_t i = 0; i < rows.size(); ++i)
    EXPECT_EQ(rows[i].second.at("alarm/entropy_floor"), wanted[i]) << i;
}

TEST(Alarms, CeilingAndDegenerateShareRingAbove) {
  AlarmsConfig config = with_window(2);
  config.entropy_ceiling = 1;
  config.degenerate_share = 0.25;
  Rows rows = rows_of({1.5, 1, 1.5, 1.25}, {0.3, 0.26, 0.25, 0.9});
  EXPECT_EQ(rings(config, rows), Begun({"degenerate_share@2", "entropy_ceiling@4"}));
}

TEST(Alarms, TheSlopeIsThatOfTheFittedLineEitherWay) {
  AlarmsConfig config = with_window(5);
  // From 2 to 1 along a line: a change of 1, the mean 1.5.
  for (const double direction : {1.0, -1.0}) {
    Rows rows = rows_of(
        {1.5 + direction / 2, 1.5 + direction / 4, 1.5, 1.5 - direction / 4, 1.5 - direction / 2});
    config.entropy_slope = 2.0 / 3 + 1e-9;
    EXPECT_EQ(rings(config, rows), Begun());
    config.entropy_slope = 2.0 / 3 - 1e-9;
    EXPECT_EQ(rings(config, rows), Begun({"entropy_slope@5"}));
  }
  // One step that sticks out has no slope.
  Rows spike = rows_of({1, 1, 3, 1, 1});
  config.entropy_slope = 0.01;
  EXPECT_EQ(rings(config, spike), Begun());
  Rows nothing = rows_of({0, 0, 0, 0, 0});
  EXPECT_EQ(rings(config, nothing), Begun());
}

TEST(Alarms, HolesBeginTheWindowAnew) {
  AlarmsConfig config = with_window(3);
  config.entropy_floor = 0.5;
  Rows missing = rows_of({0.1, 0.1, 0.1, 0.1, 0.1});
  missing.erase(missing.begin() + 1);
  EXPECT_EQ(rings(config, missing), Begun({"entropy_floor@5"}));
  Rows not_finite = rows_of({0.1, std::numeric_limits<double>::quiet_NaN(), 0.1, 0.1, 0.1});
  EXPECT_EQ(rings(config, not_finite), Begun({"entropy_floor@5"}));
}

TEST(Alarms, ReadBackAfterAnInterruptionTheyGoOnAlike) {
  AlarmsConfig config = with_window(3);
  config.entropy_floor = 0.5;
  config.entropy_slope = 0.3;
  const std::vector<double> entropy = {1, 0.9, 0.8, 0.4, 0.3, 0.2, 0.9, 0.4, 0.4, 0.4, 0.4};
  Rows wanted = rows_of(entropy);
  rings(config, wanted);
  for (size_t cut = 0; cut <= wanted.size(); ++cut) {
    Alarms resumed(config);
    resumed.replay({wanted.begin(), wanted.begin() + static_cast<ptrdiff_t>(cut)});
    Rows rest = rows_of(entropy);
    for (size_t i = cut; i < rest.size(); ++i) {
      resumed.add(rest[i].first, rest[i].second);
      EXPECT_EQ(rest[i].second.entries(), wanted[i].second.entries()) << cut << " " << i;
    }
    ASSERT_TRUE(resumed.ringing());
    EXPECT_EQ(resumed.ringing()->step, 10);  // steps 8 to 10
  }
}

TEST(Alarms, WhatRingsIsTold) {
  EXPECT_EQ(alarm_text({"entropy_floor", 12, 0.03125, 0.05}, 5),
            "rollout/entropy was at most 0.03125 in steps 8 to 12, below alarms.entropy_floor = "
            "0.05");
  EXPECT_EQ(alarm_text({"degenerate_share", 3, 0.5, 0.25}, 1),
            "rollout/degenerate was at least 0.5 in step 3, above alarms.degenerate_share = 0.25");
}

void expect_fault(const std::vector<std::string>& overrides, const std::string& text) {
  AlarmsConfig config;
  try {
    config::load({{}, overrides}, [&](config::Visitor& v) { config.describe(v); });
    ADD_FAILURE() << text;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}

TEST(Alarms, KnobsWithoutEffectAreRefused) {
  expect_fault({"action=stop"}, "no effect without an alarm");
  expect_fault({"window=3"}, "no effect without an alarm");
  expect_fault({"entropy_slope=0.5", "window=2"}, "set 3 or more");
  expect_fault({"entropy_floor=1", "entropy_ceiling=0.5"}, "below entropy_ceiling");
  expect_fault({"entropy_floor=1", "action=halt"}, "rollback");
}

}  // namespace
}  // namespace covrl
