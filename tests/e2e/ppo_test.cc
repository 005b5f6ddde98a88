// PPO with its critic, as users start it.
#include <gtest/gtest.h>

#include <filesystem>

#include "core/hash.h"
#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

namespace fs = std::filesystem;

// One of the four steps is warm-up.
std::vector<std::string> ppo_words(const std::string& run_dir,
                                   std::vector<std::string> overrides = {}) {
  overrides.insert(overrides.begin(), {"trainer.critic_warmup=1", "critic.ppo_mini_batch_size=2"});
  std::vector<std::string> words = tiny_train_words(run_dir, overrides);
  words[2] = source_path("configs/tiny/one_shot_ppo.yaml");
  return words;
}

std::string checkpoint(const std::string& run_dir, int step) {
  return run_dir + "/checkpoints/global_step_" + std::to_string(step);
}

// Of policy, critic and both optimizers.
std::string final_state(const std::string& run_dir, int step = 4) {
  std::string hashes;
  for (const char* file : {"actor/huggingface/model.safetensors", "actor/optimizer.safetensors",
                           "critic/model.safetensors", "critic/optimizer.safetensors"})
    hashes += hash_text(hash_file(checkpoint(run_dir, step) + "/" + file)) + " ";
  return hashes;
}

void expect_ok(const ProgramResult& result) { ASSERT_EQ(result.status, 0) << result.err; }

TEST(Ppo, OnlyTheCriticLearnsInTheWarmUp) {
  const std::string run = temporary_dir("ppo") + "/a";
  expect_ok(run_covrl(ppo_words(run, {"trainer.save_every=1", "trainer.keep_checkpoints=0",
                                      "rollout.max_new_tokens=64", "rollout.n=8"})));
  const auto weights = [&](int step, const std::string& part) {
    return hash_text(hash_file(checkpoint(run, step) + "/" + part + "/model.safetensors"));
  };
  const std::string start = hash_text(hash_file(source_path("data/tiny/model/model.safetensors")));
  EXPECT_EQ(weights(1, "actor/huggingface"), start);
  EXPECT_NE(weights(2, "actor/huggingface"), start);
  EXPECT_NE(weights(1, "critic"), weights(2, "critic"));
  const auto steps = read_metrics(run + "/metrics.jsonl");
  ASSERT_EQ(steps.size(), 5u);
  EXPECT_EQ(steps[1].second.find("actor/loss"), nullptr);
  for (const char* name :
       {"critic/vf_loss", "critic/vf_clipfrac", "critic/vf_explained_var", "critic/grad_norm",
        "critic/lr", "critic/values/mean", "critic/values/max", "critic/values/min",
        "timing_s/values", "timing_s/update_critic", "actor/loss"})
    EXPECT_NE(steps[2].second.find(name), nullptr) << name;
  EXPECT_EQ(steps[1].second.at("critic/values/max"), 0);
  EXPECT_NE(steps[2].second.at("critic/values/max"), 0);
}

TEST(Ppo, RanksAndLayoutsChangeNothing) {
  const std::string dir = temporary_dir("ppo");
  expect_ok(run_covrl(ppo_words(dir + "/one")));
  expect_ok(run_covrl_ranks(2, ppo_words(dir + "/two")));
  expect_ok(run_covrl_ranks(3, ppo_words(dir + "/split", {"cluster.learners=2"})));
  for (const char* other : {"/two", "/split"}) {
    EXPECT_EQ(curves(dir + "/one"), curves(dir + other)) << other;
    EXPECT_EQ(final_state(dir + "/one"), final_state(dir + other)) << other;
  }
}

TEST(Ppo, InterruptedAndResumedEqualsUninterrupted) {
  const std::string dir = temporary_dir("ppo");
  expect_ok(
      run_covrl(ppo_words(dir + "/whole", {"trainer.save_every=1", "trainer.keep_checkpoints=0"})));
  // Within the warm-up, and after it.
  for (const int k : {1, 2}) {
    const std::string run = dir + "/cut" + std::to_string(k);
    fs::copy(dir + "/whole", run, fs::copy_options::recursive);
    for (int step = k + 1; step <= 4; ++step) fs::remove_all(checkpoint(run, step));
    expect_ok(run_covrl(ppo_words(run, {"trainer.save_every=1"})));
    EXPECT_EQ(curves(run), curves(dir + "/whole")) << "cut after step " << k;
    EXPECT_EQ(final_state(run), final_state(dir + "/whole")) << "cut after step " << k;
  }
}

TEST(Ppo, ACheckpointWithoutACriticIsRefused) {
  const std::string run = temporary_dir("ppo") + "/a";
  expect_ok(run_covrl(tiny_train_words(run, {"trainer.total_steps=1"})));
  const ProgramResult result =
      run_covrl(ppo_words(run, {"trainer.total_steps=2", "trainer.allow_changed_config=true"}));
  EXPECT_EQ(result.status, 2);
  EXPECT_NE(result.err.find("has no critic"), std::string::npos) << result.err;
}

TEST(Ppo, ACriticsKeysAreRefusedWithoutOne) {
  const std::string run = temporary_dir("ppo") + "/a";
  const auto refusal = [&](const std::vector<std::string>& words) {
    const ProgramResult result = run_covrl(words);
    EXPECT_EQ(result.status, 2);
    EXPECT_FALSE(fs::exists(run));
    return result.err;
  };
  const std::string critic = refusal(tiny_train_words(run, {"critic.optim.lr=1e-3"}));
  EXPECT_NE(critic.find("critic"), std::string::npos) << critic;
  EXPECT_NE(critic.find("adv_estimator: gae"), std::string::npos) << critic;
  const std::string warm_up = refusal(tiny_train_words(run, {"trainer.critic_warmup=1"}));
  EXPECT_NE(warm_up.find("critic_warmup"), std::string::npos) << warm_up;
  const std::string endless = refusal(ppo_words(run, {"trainer.critic_warmup=4"}));
  EXPECT_NE(endless.find("would never learn"), std::string::npos) << endless;
}

}  // namespace
}  // namespace covrl::testing
