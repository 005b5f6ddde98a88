#include "rl/report/run_data.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/error.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

std::string write_run(const std::string& name, const std::string& metrics) {
  const std::string dir = testing::temporary_dir(name);
  write_file_atomically(dir + "/metrics.jsonl", metrics);
  return dir;
}

TEST(RunDataTest, AFolderIsItself) {
  const std::string dir = write_run("run_data", "{\"step\":1,\"a\":2}\n");
  const RunData run = read_run(dir);
  EXPECT_EQ(run.name, std::filesystem::path(dir).filename());
  ASSERT_EQ(run.metrics.size(), 1u);
  EXPECT_EQ(run.metrics[0].second.at("a"), 2);
  EXPECT_EQ(run.spread[0].second.at("a"), 0);
}

TEST(RunDataTest, RunsThatBelongTogetherAreAveragedWhereAllHaveValues) {
  const std::string first =
      write_run("run_data_1",
                "{\"step\":0,\"a\":1,\"only\":3}\n{\"step\":1,\"a\":5}\n{\"step\":2,\"a\":7}\n");
  const std::string second =
      write_run("run_data_2", "{\"step\":0,\"a\":4}\n{\"step\":2,\"a\":7}\n");
  const RunData run = read_run("both=" + first + "," + second);
  EXPECT_EQ(run.name, "both");
  ASSERT_EQ(run.metrics.size(), 2u);
  EXPECT_EQ(run.metrics[0].first, 0);
  EXPECT_EQ(run.metrics[0].second.at("a"), 2.5);
  EXPECT_DOUBLE_EQ(run.spread[0].second.at("a"), std::sqrt(4.5));
  EXPECT_EQ(run.metrics[0].second.find("only"), nullptr);
  EXPECT_EQ(run.metrics[1].first, 2);
  EXPECT_EQ(run.spread[1].second.at("a"), 0);
}

TEST(RunDataTest, OfTheEvaluationsTheFirstAndTheLastAreHeld) {
  const std::string dir = write_run("run_data_eval", "{\"step\":1,\"a\":2}\n");
  const auto steps_held = [&](const std::vector<int64_t>& steps) {
    std::string lines;
    for (const int64_t step : steps)
      for (const char* id : {"a", "b"}) lines += Json({{"step", step}, {"id", id}}).dump() + "\n";
    write_file_atomically(dir + "/eval_samples.jsonl", lines);
    std::vector<int64_t> held;
    for (const Json& row : read_run(dir).eval_samples)
      held.push_back(row.at("step").get<int64_t>());
    return held;
  };
  using Steps = std::vector<int64_t>;
  EXPECT_EQ(steps_held({0, 10, 20, 30}), Steps({0, 0, 30, 30}));
  EXPECT_EQ(steps_held({0, 10}), Steps({0, 0, 10, 10}));
  EXPECT_EQ(steps_held({5}), Steps({5, 5}));
  EXPECT_EQ(steps_held({}), Steps());
}

TEST(RunDataTest, WhatIsMissingIsNamed) {
  EXPECT_THROW(read_run("nowhere/at/all"), Error);
  EXPECT_THROW(read_run("name="), Error);
  EXPECT_THROW(read_run(write_run("run_data_empty", "")), Error);
}

}  // namespace
}  // namespace covrl
