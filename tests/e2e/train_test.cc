#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/hash.h"
#include "core/jsonl.h"
#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

namespace fs = std::filesystem;

std::string final_weights(const std::string& run_dir, int step = 4) {
  return hash_text(hash_file(run_dir + "/checkpoints/global_step_" + std::to_string(step) +
                             "/actor/huggingface/model.safetensors"));
}

void expect_ok(const ProgramResult& result) { ASSERT_EQ(result.status, 0) << result.err; }

TEST(Train, LeavesACompleteRunFolder) {
  const std::string run = temporary_dir("run") + "/a";
  expect_ok(run_covrl(tiny_train_words(run)));
  for (const char* file :
       {"config.resolved.yaml", "metrics.jsonl", "samples.jsonl", "eval_samples.jsonl",
        "launch.json", "report.html", "checkpoints/latest_checkpointed_iteration.txt",
        "checkpoints/global_step_4/MANIFEST.json",
        "checkpoints/global_step_4/actor/huggingface/tokenizer.json"})
    EXPECT_TRUE(fs::exists(run + "/" + file)) << file;
  EXPECT_EQ(read_metrics(run + "/metrics.jsonl").size(),
            5u);  // the evaluation before, and four steps
}

TEST(Train, TheSameSeedGivesTheSameBits) {
  const std::string dir = temporary_dir("run");
  expect_ok(run_covrl(tiny_train_words(dir + "/a")));
  expect_ok(run_covrl(tiny_train_words(dir + "/b")));
  expect_ok(run_covrl(tiny_train_words(dir + "/c", {"trainer.seed=77"})));
  EXPECT_EQ(curves(dir + "/a"), curves(dir + "/b"));
  EXPECT_EQ(final_weights(dir + "/a"), final_weights(dir + "/b"));
  EXPECT_NE(final_weights(dir + "/a"), final_weights(dir + "/c"));
}

TEST(Train, ProfileOfRandomWeightsNamesVerbsAndOperations) {
  const std::string dir = temporary_dir("run");
  const ProgramResult result = run_covrl(tiny_train_words(
      dir + "/a", {"model.init=random", "trainer.total_steps=1", "eval.files=[]", "--profile"}));
  expect_ok(result);
  for (const char* part : {"verb", "operation", "\nlearn ", "\nscore ", "\nsample "})
    EXPECT_NE(result.out.find(part), std::string::npos) << part << result.out;
}

TEST(Train, RanksLayoutsThreadsAndDecodeBatchChangeNothing) {
  const std::string dir = temporary_dir("run");
  expect_ok(run_covrl(tiny_train_words(dir + "/one")));
  expect_ok(run_covrl_ranks(2, tiny_train_words(dir + "/two")));
  expect_ok(run_covrl_ranks(3, tiny_train_words(dir + "/split", {"cluster.learners=2"})));
  expect_ok(run_covrl(
      tiny_train_words(dir + "/batch", {"rollout.max_batch=3", "trainer.num_threads=1"})));
  for (const char* other : {"/two", "/split", "/batch"}) {
    EXPECT_EQ(curves(dir + "/one"), curves(dir + other)) << other;
    EXPECT_EQ(final_weights(dir + "/one"), final_weights(dir + other)) << other;
  }
}

// One rank learns and one samples, each by its own command: the sampler is hotter than the learner
// believes, so that they disagree.
ProgramResult run_that_disagrees(const std::string& run_dir, const std::string& bound) {
  std::vector<std::string> learner = tiny_train_words(
      run_dir, {"eval.files=[]", "cluster.learners=1", "rollout.max_logprob_gap=" + bound});
  learner.insert(learner.begin(), std::string(COVRL_BINARY_DIR) + "/bin/covrl");
  std::vector<std::string> argv = {"mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "1"};
  argv.insert(argv.end(), learner.begin(), learner.end());
  argv.insert(argv.end(), {":", "-n", "1"});
  argv.insert(argv.end(), learner.begin(), learner.end());
  argv.insert(argv.end(), {"rollout.temperature=2", "trainer.allow_changed_config=true"});
  return run_program(argv);
}

TEST(Train, ADisagreementOfSamplerAndLearnerLosesNoEarlierStep) {
  const std::string dir = temporary_dir("run");
  expect_ok(run_that_disagrees(dir + "/whole", "100"));
  std::vector<double> gaps;
  for (const auto& [step, metrics] : read_metrics(dir + "/whole/metrics.jsonl"))
    gaps.push_back(metrics.at("training/rollout_logprob_diff_mean"));
  ASSERT_EQ(gaps.size(), 4u);
  const double allowed = std::max(gaps[0], gaps[1]);
  ASSERT_GT(gaps[2], allowed);  // so that a bound between stops step 3

  const std::string run = dir + "/cut";
  const ProgramResult cut = run_that_disagrees(run, std::to_string((allowed + gaps[2]) / 2));
  EXPECT_NE(cut.status, 0);
  for (const char* part : {"What was learned up to step 2 is saved", "rollout.max_logprob_gap"})
    EXPECT_NE(cut.err.find(part), std::string::npos) << "no '" << part << "': " << cut.err;
  EXPECT_TRUE(fs::exists(run + "/checkpoints/global_step_2/MANIFEST.json"));
  expect_ok(run_that_disagrees(run, "100"));
  EXPECT_EQ(curves(run), curves(dir + "/whole"));
  EXPECT_EQ(final_weights(run), final_weights(dir + "/whole"));
}

TEST(Train, InterruptedAndResumedEqualsUninterrupted) {
  const std::string dir = temporary_dir("run");
  expect_ok(run_covrl(
      tiny_train_words(dir + "/whole", {"trainer.save_every=1", "trainer.keep_checkpoints=0"})));
  // Every boundary: stop after k steps, go on to the end.
  for (const int k : {1, 2, 3}) {
    const std::string run = dir + "/cut" + std::to_string(k);
    fs::copy(dir + "/whole", run, fs::copy_options::recursive);
    for (int step = k + 1; step <= 4; ++step)
      fs::remove_all(run + "/checkpoints/global_step_" + std::to_string(step));
    expect_ok(run_covrl(tiny_train_words(run, {"trainer.save_every=1"})));
    EXPECT_EQ(curves(run), curves(dir + "/whole")) << "cut after step " << k;
    EXPECT_EQ(final_weights(run), final_weights(dir + "/whole")) << "cut after step " << k;
  }
}

TEST(Train, ResumedFromAnEarlierCheckpointTheLaterOnesAreSetAside) {
  const std::string dir = temporary_dir("run");
  const std::string run = dir + "/a";
  expect_ok(
      run_covrl(tiny_train_words(run, {"trainer.save_every=1", "trainer.keep_checkpoints=0"})));
  const std::string whole = curves(run), weights = final_weights(run);
  // Another way from step 1 on, cut short after step 2.
  const std::vector<std::string> another = {"trainer.save_every=1", "trainer.keep_checkpoints=1",
                                            "trainer.total_steps=2"};
  std::vector<std::string> words = tiny_train_words(run, another);
  words.push_back("trainer.resume=" + run + "/checkpoints/global_step_1");
  const ProgramResult result = run_covrl(words);
  expect_ok(result);
  EXPECT_NE(result.err.find("global_step_4.given_up"), std::string::npos) << result.err;
  EXPECT_TRUE(fs::exists(run + "/checkpoints/global_step_4.given_up/MANIFEST.json"));
  EXPECT_TRUE(fs::exists(run + "/checkpoints/global_step_2/MANIFEST.json"));
  EXPECT_EQ(read_file(run + "/checkpoints/latest_checkpointed_iteration.txt"), "2\n");
  // It goes on from where it is, not from where the first way was.
  expect_ok(run_covrl(tiny_train_words(run, {"trainer.save_every=1"})));
  EXPECT_EQ(curves(run), whole);
  EXPECT_EQ(final_weights(run), weights);
}

TEST(Train, ACheckpointWithoutAValidManifestIsSkipped) {
  const std::string run = temporary_dir("run") + "/a";
  expect_ok(run_covrl(tiny_train_words(run, {"trainer.save_every=1"})));
  const std::string damaged = run + "/checkpoints/global_step_4/actor/optimizer.safetensors";
  fs::resize_file(damaged, fs::file_size(damaged) / 2);
  const ProgramResult result = run_covrl(tiny_train_words(run, {"trainer.save_every=1"}));
  expect_ok(result);
  EXPECT_NE(result.err.find("skipped"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("Resumed from"), std::string::npos) << result.err;
}

TEST(Train, AChangedKeyThatAltersTheMathsNeedsConsentOnResume) {
  const std::string run = temporary_dir("run") + "/a";
  expect_ok(run_covrl(tiny_train_words(run)));
  const ProgramResult complete = run_covrl(tiny_train_words(run));
  EXPECT_EQ(complete.status, 2);
  EXPECT_NE(complete.err.find("complete"), std::string::npos) << complete.err;
  const ProgramResult refused =
      run_covrl(tiny_train_words(run, {"trainer.total_steps=5", "actor.optim.lr=3e-5"}));
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("actor.optim.lr"), std::string::npos) << refused.err;
  const ProgramResult allowed = run_covrl(tiny_train_words(
      run, {"trainer.total_steps=5", "actor.optim.lr=3e-5", "trainer.allow_changed_config=true"}));
  EXPECT_EQ(allowed.status, 0) << allowed.err;
}

TEST(Train, DryRunPrintsTheDerivedSizesAndWritesNothing) {
  const std::string run = temporary_dir("run") + "/a";
  std::vector<std::string> words = tiny_train_words(run);
  words.push_back("--dry-run");
  const ProgramResult result = run_covrl(words);
  expect_ok(result);
  EXPECT_NE(result.out.find("total_steps: 4"), std::string::npos);
  EXPECT_NE(result.err.find("1 distinct prompt x 4"), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(run));
}

}  // namespace
}  // namespace covrl::testing
