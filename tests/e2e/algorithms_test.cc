// Algorithms that sample or score differently, as their users start them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "core/jsonl.h"
#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

namespace fs = std::filesystem;

void expect_ok(const ProgramResult& result) { ASSERT_EQ(result.status, 0) << result.err; }

// A run on the full training set, with completions long enough to be right now and then.
std::vector<std::string> full_set_words(const std::string& run_dir,
                                        std::vector<std::string> overrides) {
  overrides.insert(
      overrides.begin(),
      {"data.train_files=[" + source_path("data/tiny/train.jsonl") + "]", "data.repeat=1",
       "rollout.max_new_tokens=64", "eval.files=[]", "trainer.total_steps=3"});
  return tiny_train_words(run_dir, std::move(overrides));
}

std::vector<std::string> dynamic_words(const std::string& run_dir) {
  return full_set_words(
      run_dir,
      {"algorithm.filter_groups.enable=true", "algorithm.filter_groups.max_num_gen_batches=50",
       "algorithm.overlong_buffer.enable=true", "algorithm.overlong_buffer.len=16",
       "reward.audit.verifier=format", "reward.audit.share=0.5", "trainer.save_every=1",
       "trainer.keep_checkpoints=0"});
}

// The values of a metric, step by step.
std::vector<double> series(const std::string& run_dir, const std::string& name) {
  std::vector<double> values;
  for (const auto& [step, metrics] : read_metrics(run_dir + "/metrics.jsonl"))
    if (const double* value = metrics.find(name)) values.push_back(*value);
  return values;
}

// What a run writes about every group that it sampled, the dropped ones included.
void expect_same_logs(const std::string& run, const std::string& wanted) {
  for (const std::string file : {"/audit.jsonl", "/example_accuracy.jsonl"})
    EXPECT_EQ(read_file(run + file), read_file(wanted + file)) << run << file;
}

TEST(Algorithms, DynamicSamplingFillsTheBatchAndResumesWhereItWas) {
  const std::string dir = temporary_dir("run"), whole = dir + "/whole", cut = dir + "/cut";
  expect_ok(run_covrl(dynamic_words(whole)));
  const std::vector<double> batches = series(whole, "train/num_gen_batches");
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_GT(*std::max_element(batches.begin(), batches.end()), 1);
  for (double share : series(whole, "train/kept_group_share")) EXPECT_LE(share, 1);
  const std::vector<double> disagreed = series(whole, "audit/disagreed");
  EXPECT_GT(*std::max_element(disagreed.begin(), disagreed.end()), 0);
  fs::copy(whole, cut, fs::copy_options::recursive);
  for (const char* step : {"2", "3"})
    fs::remove_all(cut + "/checkpoints/global_step_" + std::string(step));
  expect_ok(run_covrl(dynamic_words(cut)));
  EXPECT_EQ(curves(cut), curves(whole));
  expect_same_logs(cut, whole);
  expect_ok(run_covrl_ranks(2, dynamic_words(dir + "/two")));
  EXPECT_EQ(curves(dir + "/two"), curves(whole));
  expect_same_logs(dir + "/two", whole);
}

TEST(Algorithms, DynamicSamplingStopsWhereNothingDiffers) {
  const std::string run = temporary_dir("run") + "/a";
  const ProgramResult result = run_covrl(full_set_words(
      run, {"algorithm.filter_groups.enable=true", "algorithm.filter_groups.max_num_gen_batches=2",
            "rollout.max_new_tokens=1"}));
  EXPECT_NE(result.status, 0);
  EXPECT_NE(result.err.find("max_num_gen_batches"), std::string::npos) << result.err;
}

// A verifier whose verdicts hang on the length of a request, and from request `limit` on are all
// alike.
void write_judge(const std::string& file, int64_t limit) {
  write_file_atomically(file,
                        "echo '{\"ready\": true}'\nseen=0\n"
                        "while read -r line; do seen=$((seen + 1))\n"
                        "if [ $seen -gt " +
                            std::to_string(limit) +
                            " ]; then echo 1; else echo $((${#line} % 2)); fi\ndone\n");
}

TEST(Algorithms, WhatWasLearnedBeforeDynamicSamplingStopsIsSaved) {
  const std::string dir = temporary_dir("run"), judge = dir + "/judge.sh";
  const auto words = [&](const std::string& run, const std::string& max_batches) {
    return full_set_words(
        dir + run,
        {"verifier.name=external_process", "verifier.external_process.command=[sh, " + judge + "]",
         "verifier.num_threads=1", "algorithm.filter_groups.enable=true",
         "algorithm.filter_groups.max_num_gen_batches=" + max_batches});
  };
  write_judge(judge, 1'000'000);
  expect_ok(run_covrl(words("/whole", "20")));
  const double first = series(dir + "/whole", "train/num_gen_batches").at(0);
  write_judge(judge, static_cast<int64_t>(first) * 8);  // each of two ranks: alike from step 2 on
  const ProgramResult stopped = run_covrl_ranks(2, words("/cut", "20"));
  EXPECT_NE(stopped.status, 0);
  EXPECT_NE(stopped.err.find("up to step 1 is saved"), std::string::npos) << stopped.err;
  EXPECT_NE(stopped.err.find("max_num_gen_batches"), std::string::npos) << stopped.err;
  write_judge(judge, 1'000'000);
  expect_ok(run_covrl(words("/cut", "20")));
  EXPECT_EQ(curves(dir + "/cut"), curves(dir + "/whole"));
}

TEST(Algorithms, ReMaxSamplesTheSameAsWithoutItsBaseline) {
  const std::string dir = temporary_dir("run");
  expect_ok(run_covrl(
      full_set_words(dir + "/remax", {"algorithm.adv_estimator=remax", "trainer.total_steps=1"})));
  expect_ok(run_covrl(full_set_words(dir + "/grpo", {"trainer.total_steps=1"})));
  EXPECT_EQ(series(dir + "/remax", "critic/score/mean"),
            series(dir + "/grpo", "critic/score/mean"));
  EXPECT_EQ(series(dir + "/remax", "rollout/entropy"), series(dir + "/grpo", "rollout/entropy"));
  EXPECT_EQ(series(dir + "/remax", "critic/baseline/mean").size(), 1u);
}

TEST(Algorithms, KlInTheRewardAdaptsAndResumes) {
  const auto words = [](const std::string& run) {
    return full_set_words(
        run, {"algorithm.adv_estimator=reinforce_plus_plus", "algorithm.use_kl_in_reward=true",
              "algorithm.kl_ctrl.type=adaptive", "algorithm.kl_ctrl.target_kl=0.001",
              "algorithm.kl_ctrl.horizon=100", "actor.optim.lr=1e-3", "trainer.save_every=1",
              "trainer.keep_checkpoints=0"});
  };
  const std::string dir = temporary_dir("run"), whole = dir + "/whole", cut = dir + "/cut";
  expect_ok(run_covrl(words(whole)));
  const std::vector<double> kl = series(whole, "actor/reward_kl_penalty");
  ASSERT_EQ(kl.size(), 3u);
  EXPECT_EQ(kl[0], 0);  // the policy is its own reference still
  EXPECT_NE(kl[1], 0);
  const std::vector<double> coefficient = series(whole, "actor/reward_kl_penalty_coeff");
  EXPECT_EQ(coefficient[0], 0.001);
  EXPECT_NE(coefficient[1], coefficient[0]);
  EXPECT_TRUE(series(whole, "actor/kl_loss").empty());
  fs::copy(whole, cut, fs::copy_options::recursive);
  for (const char* step : {"2", "3"})
    fs::remove_all(cut + "/checkpoints/global_step_" + std::string(step));
  expect_ok(run_covrl(words(cut)));
  EXPECT_EQ(curves(cut), curves(whole));
}

TEST(Algorithms, WhatCannotWorkIsRefusedBeforeTheRun) {
  const std::string run = temporary_dir("run") + "/a";
  for (const std::string override :
       {"algorithm.adv_estimator=grpo_passk", "algorithm.filter_groups.enable=true"}) {
    const ProgramResult result = run_covrl(tiny_train_words(run, {override, "rollout.n=1"}));
    EXPECT_EQ(result.status, 2) << override;
    EXPECT_NE(result.err.find("rollout.n"), std::string::npos) << result.err;
  }
  const ProgramResult result = run_covrl(tiny_train_words(
      run, {"algorithm.overlong_buffer.enable=true", "algorithm.overlong_buffer.len=25"}));
  EXPECT_EQ(result.status, 2);
  EXPECT_NE(result.err.find("overlong_buffer.len"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace covrl::testing
