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
  SweepRun run_{"v", 1, testing::temporary_dir("sweep_plan") + "/run", "", 8};

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

TEST_F(SweepPlan, ARunThatWarnedOrWentOnIsNotOver) {
  make(kWarn, 3);
  expect(RunState::kResumes, 3);
  make(kStop, 5);  // killed in step 6, long after the alarm was changed
  expect(RunState::kResumes, 3);
}

// `alarm` and `base` differ in alarms alone.
TEST_F(SweepPlan, RunsThatDifferInAlarmsAreNotShared) {
  const std::string dir = testing::temporary_dir("sweep_plan");
  const auto write = [&](const std::string& name, const std::string& set) {
    std::ofstream(dir + "/" + name)
        << "sweep:\n  name: " << name.substr(0, 3) << "\n  variants:\n    base: " << set << "\n";
    return dir + "/" + name;
  };
  const std::string plain = write("one.yaml", "{}"), again = write("two.yaml", "{}");
  const std::string alarm =
      write("bad.yaml", "{set: [alarms.entropy_floor=0.1, alarms.action=stop]}");
  const auto plan = [&](const std::string& other) {
    return plan_runs(read_sweeps({{testing::source_path("configs/tiny/one_shot_grpo.yaml")},
                                  {plain, other},
                                  {"trainer.run_dir=" + dir + "/root"}}));
  };
  EXPECT_EQ(plan(again).size(), 1u);
  try {
    plan(alarm);
    FAIL() << "not refused";
  } catch (const Error& error) {
    const std::string message = error.what();
    for (const char* part : {"sweep 'bad'", "alarms.entropy_floor", "alarms.action: warn -> stop"})
      EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "': " << message;
  }
}

}  // namespace
}  // namespace covrl
