// Alarms in a run: it stops or goes back, can go on, and is the same whatever the ranks and
// interruptions.
#include <gtest/gtest.h>

#include <filesystem>

#include "core/hash.h"
#include "core/jsonl.h"
#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

namespace fs = std::filesystem;

// Entropy is always below 10 nats, and what is always so rings when its window is full: step 3.
std::vector<std::string> alarm_words(const std::string& run_dir,
                                     std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"alarms.entropy_floor=10", "alarms.window=3", "eval.every=1"});
  return tiny_train_words(run_dir, std::move(more));
}

std::string weights_at(const std::string& run_dir, int step) {
  return hash_text(hash_file(run_dir + "/checkpoints/global_step_" + std::to_string(step) +
                             "/actor/huggingface/model.safetensors"));
}

int64_t last_step(const std::string& path) {
  int64_t last = -1;
  read_jsonl(path, [&](int64_t, const Json& row) { last = row.at("step").get<int64_t>(); });
  return last;
}

std::string status_and_message(const ProgramResult& result) {
  return std::to_string(result.status) + "\n" + result.err;
}

TEST(AlarmRun, WarnsOnceAndGoesOn) {
  const std::string dir = temporary_dir("alarms");
  const ProgramResult plain = run_covrl(tiny_train_words(dir + "/plain", {"eval.every=1"}));
  ASSERT_EQ(plain.status, 0) << plain.err;
  const ProgramResult warned = run_covrl(alarm_words(dir + "/warn"));
  ASSERT_EQ(warned.status, 0) << warned.err;
  const size_t first = warned.err.find("warning: alarm: rollout/entropy was at most");
  ASSERT_NE(first, std::string::npos) << warned.err;
  EXPECT_EQ(warned.err.find("warning: alarm", first + 1), std::string::npos) << warned.err;
  EXPECT_EQ(last_step(dir + "/warn/alarms.jsonl"), 3);
  const auto rows = read_metrics(dir + "/warn/metrics.jsonl");
  EXPECT_EQ(rows[2].second.at("alarm/entropy_floor"), 0);
  EXPECT_EQ(rows[3].second.at("alarm/entropy_floor"), 1);
  EXPECT_EQ(rows[4].second.at("alarm/entropy_floor"), 1);
  EXPECT_EQ(weights_at(dir + "/warn", 4), weights_at(dir + "/plain", 4));
  EXPECT_FALSE(fs::exists(dir + "/plain/alarms.jsonl"));
}

TEST(AlarmRun, StopsWithACheckpointAndGoesOnOnceTheAlarmIsChanged) {
  const std::string dir = temporary_dir("alarms");
  const ProgramResult whole = run_covrl(alarm_words(dir + "/whole"));
  ASSERT_EQ(whole.status, 0) << whole.err;
  const std::string run = dir + "/stop";
  const ProgramResult stopped = run_covrl(alarm_words(run, {"alarms.action=stop"}));
  EXPECT_EQ(stopped.status, 3) << stopped.err;
  EXPECT_NE(stopped.err.find("Stopped by an alarm after step 3: rollout/entropy was at most"),
            std::string::npos)
      << stopped.err;
  EXPECT_EQ(last_step(run + "/metrics.jsonl"), 3);
  EXPECT_TRUE(fs::exists(run + "/report.html"));
  EXPECT_TRUE(fs::exists(run + "/checkpoints/global_step_3/MANIFEST.json"));
  const std::string alarms = read_file(run + "/alarms.jsonl");

  // The same command: still stopped, and nothing changes.
  const ProgramResult again = run_covrl(alarm_words(run, {"alarms.action=stop"}));
  EXPECT_EQ(again.status, 3) << again.err;
  EXPECT_EQ(last_step(run + "/metrics.jsonl"), 3);
  EXPECT_EQ(read_file(run + "/alarms.jsonl"), alarms);

  const ProgramResult on = run_covrl(alarm_words(run));
  EXPECT_EQ(on.status, 0) << on.err;
  EXPECT_EQ(curves(run), curves(dir + "/whole"));
  EXPECT_EQ(weights_at(run, 4), weights_at(dir + "/whole", 4));
}

std::vector<std::string> rollback_words(const std::string& run_dir) {
  // The window is full at step 2, and its rows are of the weights of steps 0 and 1.
  return tiny_train_words(
      run_dir, {"alarms.entropy_floor=10", "alarms.window=2", "alarms.action=rollback",
                "actor.entropy_control.kind=kl_cov", "actor.policy_loss.kind=unclipped",
                "trainer.save_every=1", "trainer.keep_checkpoints=0", "trainer.total_steps=6",
                "eval.every=1"});
}

TEST(AlarmRun, WithoutACheckpointFromBeforeTheAlarmARollbackIsAStop) {
  const std::string run = temporary_dir("alarms") + "/a";
  const ProgramResult result = run_covrl(rollback_words(run));
  EXPECT_EQ(result.status, 3) << result.err;
  EXPECT_NE(result.err.find("nothing was rolled back"), std::string::npos) << result.err;
  EXPECT_EQ(last_step(run + "/metrics.jsonl"), 2);
  EXPECT_TRUE(fs::exists(run + "/checkpoints/global_step_2/MANIFEST.json"));
}

// A run that makes four steps without an alarm, and then rings: a ceiling of 0 nats from step 6 on.
std::string rolled_back(const std::string& run, int num_ranks) {
  std::vector<std::string> words = rollback_words(run);
  words.push_back("alarms.entropy_floor=0");  // never; the later word counts
  std::vector<std::string> quiet = words;
  quiet.push_back("trainer.total_steps=4");
  EXPECT_EQ(run_covrl(quiet).status, 0);
  // Rows 1 to 4 as if their entropy had been low, so that the window that rings is that of 5 and 6.
  std::string text;
  read_jsonl(run + "/metrics.jsonl", [&](int64_t, const Json& row) {
    Json changed = row;
    if (row.at("step") > 0) changed["rollout/entropy"] = 0;
    text += changed.dump() + "\n";
  });
  write_file_atomically(run + "/metrics.jsonl", text);
  words.push_back("alarms.entropy_ceiling=1e-6");
  return status_and_message(num_ranks == 1 ? run_covrl(words) : run_covrl_ranks(num_ranks, words));
}

TEST(AlarmRun, RollsBackToTheCheckpointFromBeforeTheAlarm) {
  const std::string dir = temporary_dir("alarms");
  const std::string run = dir + "/one";
  const std::string one = rolled_back(run, 1);
  EXPECT_EQ(one.substr(0, 2), "3\n") << one;
  // Steps 5 and 6 rang; their rows are of the weights of 4 and 5; those of 3 made the last quiet
  // row.
  EXPECT_NE(one.find("Rolled back by an alarm to step 3"), std::string::npos) << one;
  for (const char* file : {"/metrics.jsonl", "/samples.jsonl", "/eval_samples.jsonl",
                           "/example_accuracy.jsonl", "/alarms.jsonl"})
    EXPECT_EQ(last_step(run + file), 3) << file;
  EXPECT_LE(last_step(run + "/selected_tokens.jsonl"), 3);  // a step may select none
  EXPECT_EQ(last_step(run + "/metrics.before_rollback.jsonl"), 6);
  EXPECT_EQ(read_file(run + "/checkpoints/latest_checkpointed_iteration.txt"), "3\n");
  for (const int step : {4, 5, 6})
    EXPECT_FALSE(fs::exists(run + "/checkpoints/global_step_" + std::to_string(step))) << step;

  // What is left are the weights that the run had then.
  std::vector<std::string> straight = rollback_words(dir + "/straight");
  straight.insert(straight.end(), {"alarms.entropy_floor=0", "trainer.total_steps=3"});
  ASSERT_EQ(run_covrl(straight).status, 0);
  EXPECT_EQ(weights_at(run, 3), weights_at(dir + "/straight", 3));

  const std::string two = rolled_back(dir + "/two", 2);
  EXPECT_NE(two.find("Rolled back by an alarm to step 3"), std::string::npos) << two;
  EXPECT_EQ(two.substr(0, 2), "3\n") << two;
  EXPECT_EQ(curves(dir + "/two"), curves(run));
  EXPECT_EQ(read_file(dir + "/two/alarms.jsonl"), read_file(run + "/alarms.jsonl"));
  EXPECT_EQ(weights_at(dir + "/two", 3), weights_at(run, 3));
}

// The command of docs/entropy.md. At this learning rate the entropy of steps 3 and 4 is above 0.5.
TEST(AlarmRun, AfterARollbackTheSameCommandComesToTheSamePlaceAndALowerRateGoesOn) {
  const std::string run = temporary_dir("alarms") + "/a";
  std::vector<std::string> words = tiny_train_words(
      run, {"actor.optim.lr=1e-2", "alarms.entropy_ceiling=0.45", "alarms.window=2",
            "alarms.action=rollback", "trainer.save_every=1", "trainer.keep_checkpoints=0",
            "trainer.total_steps=5", "eval.files=[]"});
  std::string rolled_back;
  for (const int turn : {1, 2}) {
    const ProgramResult result = run_covrl(words);
    EXPECT_EQ(result.status, 3) << result.err;
    EXPECT_NE(result.err.find("Rolled back by an alarm to step 1: rollout/entropy was at least"),
              std::string::npos)
        << result.err;
    EXPECT_EQ(last_step(run + "/metrics.before_rollback.jsonl"), 4);
    if (turn == 1) rolled_back = curves(run);
    EXPECT_EQ(curves(run), rolled_back);
  }
  words.push_back("actor.optim.lr=1e-4");  // the later word counts
  const ProgramResult refused = run_covrl(words);
  EXPECT_EQ(refused.status, 2) << refused.err;
  EXPECT_NE(refused.err.find("actor.optim.lr: 0.01 -> 1e-04"), std::string::npos) << refused.err;
  words.push_back("trainer.allow_changed_config=true");
  const ProgramResult on = run_covrl(words);
  EXPECT_EQ(on.status, 0) << on.err;
  EXPECT_EQ(last_step(run + "/metrics.jsonl"), 5);
  EXPECT_EQ(curves(run).substr(0, rolled_back.size()), rolled_back);
}

TEST(AlarmRun, ARollbackThatNeedNotFindACheckpointIsRefused) {
  const ProgramResult result = run_covrl(
      tiny_train_words(temporary_dir("alarms") + "/a",
                       {"alarms.entropy_floor=0.1", "alarms.window=5", "alarms.action=rollback",
                        "trainer.save_every=2", "trainer.keep_checkpoints=3", "--dry-run"}));
  EXPECT_EQ(result.status, 2);
  EXPECT_NE(result.err.find("keep_checkpoints to 0 (all) or 4 or more"), std::string::npos)
      << result.err;
}

}  // namespace
}  // namespace covrl::testing
