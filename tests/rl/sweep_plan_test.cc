// What is left to do, from run folders made by hand.
#include "rl/sweep/sweep_plan.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStop =
    R"({"step":3,"event":"ring","alarm":"entropy_floor","action":"stop"})";
constexpr const char* kWarn =
    R"({"step":3,"event":"ring","alarm":"entropy_floor","action":"warn"})";
constexpr const char* kBack =
    R"({"step":3,"event":"rollback","alarm":"entropy_floor","given_up":[4,6]})";

// Of 8 steps, with a checkpoint of step 3.
class SweepPlan : public ::testing::Test {
 protected:
  SweepRun run_{"v", 1, testing::temporary_dir("sweep_plan") + "/run", "", 8, /*alarm_ends=*/true};

  void make(const std::string& alarms, int last_metrics) {
    const std::string checkpoint = run_.dir + "/checkpoints/global_step_3";
    fs::create_directories(checkpoint);
    std::ofstream(checkpoint + "/MANIFEST.json") << R"({"step":3,"files":{}})";
    std::ofstream metrics(run_.dir + "/metrics.jsonl");
    for (int step = 1; step <= last_metrics; ++step)
      metrics << R"({"step":)" << step << R"(,"rollout/entropy":1})"
              << "\n";
    if (!alarms.empty()) std::ofstream(run_.dir + "/alarms.jsonl") << alarms << "\n";
  }
  void expect(RunState state, int64_t step) {
    const RunProgress progress = progress_of(run_);
    EXPECT_EQ(progress.state, state);
    EXPECT_EQ(progress.step, step);
  }
};

TEST_F(SweepPlan, ARunWithoutAlarmGoesOn) {
  make("", 3);
  expect(RunState::kResumes, 3);
}

TEST_F(SweepPlan, ARunThatAnAlarmStoppedIsOver) {
  make(kStop, 3);
  expect(RunState::kEndedByAlarm, 3);
  EXPECT_TRUE(progress_of(run_).is_over());
  run_.total_steps = 3;  // it rang at the last step
  expect(RunState::kComplete, 3);
}

TEST_F(SweepPlan, ARunThatWasRolledBackIsOver) {
  make(std::string(kWarn) + "\n" + kBack, 3);
  expect(RunState::kEndedByAlarm, 6);
}

TEST_F(SweepPlan, ARunThatAnAlarmEndedGoesOnWhereNoneCanEndItAnyMore) {
  run_.alarm_ends = false;
  make(kStop, 3);
  expect(RunState::kResumes, 3);
  make(kBack, 3);
  expect(RunState::kResumes, 3);
}

// As a run that was killed in the middle of a line leaves it.
TEST_F(SweepPlan, ALineThatWasCutOffIsLeftOut) {
  make(kStop, 3);
  std::ofstream(run_.dir + "/alarms.jsonl", std::ios::app) << R"({"step":3,"eve)";
  expect(RunState::kEndedByAlarm, 3);
}

TEST_F(SweepPlan, ALineOfAnotherKindIsNamed) {
  make(R"({"step":3,"event":"rollback"})", 3);
  try {
    progress_of(run_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("alarms.jsonl:1"), std::string::npos) << error.what();
  }
}

TEST_F(SweepPlan, ARunThatWarnedOrWentOnIsNotOver) {
  make(kWarn, 3);
  expect(RunState::kResumes, 3);
  make(kStop, 5);  // killed in step 6, long after the alarm was changed
  expect(RunState::kResumes, 3);
}

// Sweeps of one variant, `base`, which `set` may change.
class SharedRuns : public ::testing::Test {
 protected:
  std::string dir_ = testing::temporary_dir("shared_runs");

  std::string write(const std::string& name, const std::string& set) {
    const std::string path = dir_ + "/" + name + ".yaml";
    std::ofstream(path) << "sweep:\n  name: " << name << "\n  variants:\n    base: {set: [" << set
                        << "]}\n";
    return path;
  }
  std::vector<PlannedRun> plan(const std::vector<std::string>& files) {
    return plan_runs(read_sweeps({{testing::source_path("configs/tiny/one_shot_grpo.yaml")},
                                  files,
                                  {"trainer.run_dir=" + dir_ + "/root"}}));
  }
  void expect_refused(const std::vector<std::string>& files,
                      const std::vector<std::string>& parts) {
    try {
      plan(files);
      FAIL() << "not refused";
    } catch (const Error& error) {
      const std::string message = error.what();
      for (const std::string& part : parts)
        EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "': " << message;
    }
  }
  // The folder of a complete run.
  static void complete(const SweepRun& run) {
    const std::string checkpoint =
        run.dir + "/checkpoints/global_step_" + std::to_string(run.total_steps);
    fs::create_directories(checkpoint);
    std::ofstream(checkpoint + "/MANIFEST.json") << R"({"files":{}})";
    std::ofstream(run.dir + "/metrics.jsonl") << R"({"step":)" << run.total_steps << "}\n";
    std::ofstream(run.dir + "/config.resolved.yaml") << run.yaml;
  }

  const std::string plain_ = write("plain", ""),
                    warn_ = write("warn", "alarms.entropy_floor=0.1, alarms.window=3"),
                    stop_ = write("stop", "alarms.entropy_floor=0.1, alarms.action=stop");
};

TEST_F(SharedRuns, SweepsShareWhatNoAlarmCanEnd) {
  EXPECT_EQ(plan({plain_, write("again", "")}).size(), 1u);
  EXPECT_EQ(plan({plain_, warn_}).size(), 1u);
  const std::vector<std::string> keys = {"alarms.entropy_floor", "alarms.action: warn -> stop"};
  expect_refused({plain_, stop_}, {"sweep 'stop'", keys[0], keys[1]});
  expect_refused({stop_, plain_}, {"sweep 'plain'", keys[0], "alarms.action: stop -> warn"});
}

TEST_F(SharedRuns, AFinishedRunStaysFinishedWithKeysThatChangeNoResult) {
  complete(plan({plain_})[0].run);
  EXPECT_EQ(plan({plain_})[0].progress.state, RunState::kComplete);
  EXPECT_EQ(plan({warn_})[0].progress.state, RunState::kComplete);
  const std::string harmless =
      write("harmless",
            "trainer.log_samples=1, trainer.keep_checkpoints=9, rollout.max_batch=3, "
            "rollout.max_logprob_gap=0.2, reward.max_failed_share=0.1");
  EXPECT_EQ(plan({harmless})[0].progress.state, RunState::kComplete);
  expect_refused({stop_}, {"base/seed_1: holds a run of another configuration",
                           "alarms.action: warn -> stop"});
  expect_refused({write("eval", "eval.samples=3")}, {"eval.samples"});
}

TEST_F(SharedRuns, AFinishedRunThatAnAlarmCouldHaveEndedIsThatOfTheSameWithoutIt) {
  complete(plan({stop_})[0].run);
  EXPECT_EQ(plan({stop_})[0].progress.state, RunState::kComplete);
  EXPECT_EQ(plan({warn_})[0].progress.state, RunState::kComplete);
  EXPECT_EQ(plan({plain_})[0].progress.state, RunState::kComplete);
}

}  // namespace
}  // namespace covrl
