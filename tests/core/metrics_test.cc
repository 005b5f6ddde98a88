#include "core/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "core/error.h"
#include "core/jsonl.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

Metrics reward(double value) {
  Metrics metrics;
  metrics.set("critic/rewards/mean", value);
  return metrics;
}

std::vector<int64_t> steps_of(const std::string& path) {
  std::vector<int64_t> steps;
  for (const auto& [step, metrics] : read_metrics(path)) steps.push_back(step);
  return steps;
}

class MetricsTest : public ::testing::Test {
 protected:
  std::string path_ = testing::temporary_dir("metrics") + "/metrics.jsonl";
};

TEST_F(MetricsTest, KeepsOrderAndLastValue) {
  Metrics metrics;
  metrics.set("b", 1);
  metrics.set("a", 2);
  metrics.set("b", 3);
  ASSERT_EQ(metrics.entries().size(), 2u);
  EXPECT_EQ(metrics.entries()[0], (std::pair<std::string, double>{"b", 3}));
  EXPECT_EQ(metrics.at("a"), 2);
  EXPECT_EQ(metrics.find("c"), nullptr);
  EXPECT_THROW(metrics.at("c"), Error);
}

TEST_F(MetricsTest, EveryStepIsOnDiskAtOnceAndReadsBackBitForBit) {
  const auto sink = make_jsonl_sink(path_, 0);
  Metrics metrics = reward(0.1 + 0.2);
  metrics.set("actor/lr", 1e-300);
  metrics.set("bad", std::numeric_limits<double>::infinity());
  sink->write(1, metrics);
  const auto rows = read_metrics(path_);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].first, 1);
  EXPECT_EQ(rows[0].second.at("critic/rewards/mean"), 0.1 + 0.2);
  EXPECT_EQ(rows[0].second.at("actor/lr"), 1e-300);
  EXPECT_TRUE(std::isnan(rows[0].second.at("bad")));
  EXPECT_NE(read_file(path_).find("\"bad\":null}\n"), std::string::npos);
}

TEST_F(MetricsTest, ResumeDropsLaterStepsAndKeepsTheRestByteForByte) {
  {
    const auto sink = make_jsonl_sink(path_, 0);
    for (int64_t step = 1; step <= 5; ++step) sink->write(step, reward(0.1 * step));
  }
  const std::string before = read_file(path_);
  const auto sink = make_jsonl_sink(path_, 3);
  EXPECT_EQ(steps_of(path_), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_TRUE(before.starts_with(read_file(path_)));
  for (int64_t step = 4; step <= 5; ++step) sink->write(step, reward(0.1 * step));
  EXPECT_EQ(read_file(path_), before);
}

TEST_F(MetricsTest, FreshRunStartsAnEmptyFile) {
  make_jsonl_sink(path_, 0)->write(1, reward(1));
  const auto sink = make_jsonl_sink(path_, 0);
  EXPECT_EQ(read_file(path_), "");
}

TEST_F(MetricsTest, TornLastLineIsLeftOutAndRemovedAtResume) {
  make_jsonl_sink(path_, 0)->write(1, reward(1));
  const std::string whole = read_file(path_);
  std::ofstream(path_, std::ios::binary) << whole << "{\"step\":2,\"critic";
  EXPECT_EQ(steps_of(path_), std::vector<int64_t>{1});
  make_jsonl_sink(path_, 9)->write(2, reward(2));
  EXPECT_EQ(steps_of(path_), (std::vector<int64_t>{1, 2}));
}

TEST_F(MetricsTest, ALastLineThatLacksItsNewlineAloneCounts) {
  std::ofstream(path_, std::ios::binary) << "{\"step\":1}\n{\"step\":2}";
  EXPECT_EQ(steps_of(path_), (std::vector<int64_t>{1, 2}));
}

TEST_F(MetricsTest, DamagedFileNamesTheLine) {
  std::ofstream(path_, std::ios::binary) << "{\"step\":1}\n{\"step\":\n{\"step\":3}\n";
  try {
    read_metrics(path_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with(path_ + ":2:")) << error.what();
  }
}

TEST_F(MetricsTest, UnwritablePathIsNamed) {
  EXPECT_THROW(make_jsonl_sink(path_ + "/absent/metrics.jsonl", 0), Error);
}

}  // namespace
}  // namespace covrl
