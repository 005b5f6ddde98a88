// The training knobs of the 1-shot paper's ablations, as their users set them.
#include <gtest/gtest.h>

#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

using Words = std::vector<std::string>;

void expect_ok(const ProgramResult& result) { ASSERT_EQ(result.status, 0) << result.err; }

std::vector<Metrics> steps_of(const std::string& run) {
  std::vector<Metrics> steps;
  for (const auto& [step, metrics] : read_metrics(run + "/metrics.jsonl"))
    if (step > 0) steps.push_back(metrics);
  return steps;
}

Words without_policy_loss(Words more) {
  more.insert(more.begin(),
              {"actor.pg_loss_coeff=0", "actor.kl_loss_coef=0", "actor.optim.weight_decay=0",
               "actor.entropy_control.kind=none", "actor.entropy_control.entropy_coeff=0"});
  return more;
}

TEST(Knobs, WithEverythingOffNothingMovesAndTheStartSaysSo) {
  const std::string run = temporary_dir("knobs") + "/off";
  const ProgramResult result = run_covrl(tiny_train_words(run, without_policy_loss({})));
  expect_ok(result);
  EXPECT_NE(result.err.find("the weights stay as they are"), std::string::npos) << result.err;
  const auto rows = read_metrics(run + "/metrics.jsonl");
  const Metrics &before = rows.front().second, &after = rows.back().second;
  EXPECT_EQ(before.at("val-aux/test/entropy"), after.at("val-aux/test/entropy"));
  EXPECT_EQ(before.at("val-aux/test/length"), after.at("val-aux/test/length"));
  for (const Metrics& step : steps_of(run)) EXPECT_EQ(step.at("actor/grad_norm"), 0);
}

TEST(Knobs, AnEntropyTermOfEitherSignMovesTheEntropyItsWay) {
  const std::string dir = temporary_dir("knobs");
  for (const std::string coefficient : {"0.5", "-0.5"}) {
    const std::string run = dir + "/entropy" + coefficient;
    expect_ok(run_covrl(tiny_train_words(
        run, without_policy_loss({"actor.entropy_control.kind=bonus",
                                  "actor.entropy_control.entropy_coeff=" + coefficient,
                                  "actor.optim.lr=1e-3", "eval.files=[]"}))));
    const std::vector<Metrics> steps = steps_of(run);
    const double first = steps.front().at("entropy/token_mean"),
                 last = steps.back().at("entropy/token_mean");
    EXPECT_EQ(last > first, coefficient[0] != '-') << first << " to " << last;
    EXPECT_NE(last, first);
  }
}

// The sampler still agrees with the learner bit for bit, and the first update has the ratio 1.
TEST(Knobs, LogProbsMayHaveAnotherTemperatureThanSampling) {
  const std::string dir = temporary_dir("knobs");
  const Words words = {"rollout.temperature=0.8", "actor.logprob_temperature=1.25", "eval.files=[]",
                       "trainer.total_steps=2"};
  const ProgramResult result = run_covrl(tiny_train_words(dir + "/one", words));
  expect_ok(result);
  EXPECT_NE(result.err.find("0.8 of sampling, 1.25 of log-probs"), std::string::npos) << result.err;
  for (const Metrics& step : steps_of(dir + "/one")) {
    EXPECT_EQ(step.at("training/rollout_logprob_diff_max"), 0);
    EXPECT_EQ(step.at("rollout_corr/k3_kl"), 0);
    EXPECT_EQ(step.at("actor/ppo_kl"), 0);
    EXPECT_GT(step.at("entropy/token_mean"), step.at("actor/entropy_unit_temperature"));
    EXPECT_GT(step.at("actor/entropy_unit_temperature"), step.at("rollout/entropy"));
  }
  expect_ok(run_covrl_ranks(2, tiny_train_words(dir + "/two", words)));
  EXPECT_EQ(curves(dir + "/two"), curves(dir + "/one"));
}

TEST(Knobs, MiniBatchesInResponsesMayCutGroups) {
  const std::string dir = temporary_dir("knobs");
  const Words words = {"actor.ppo_mini_batch_size=6", "actor.ppo_mini_batch_unit=responses",
                       "eval.files=[]", "trainer.total_steps=2"};
  const ProgramResult result = run_covrl(tiny_train_words(dir + "/one", words));
  expect_ok(result);
  EXPECT_NE(result.err.find("3 updates per rollout step, 6 completions each"), std::string::npos)
      << result.err;
  for (const Metrics& step : steps_of(dir + "/one"))
    EXPECT_EQ(step.at("actor/num_updates") + step.at("actor/num_skipped_updates"), 3);
  expect_ok(run_covrl_ranks(2, tiny_train_words(dir + "/two", words)));
  EXPECT_EQ(curves(dir + "/two"), curves(dir + "/one"));
}

TEST(Knobs, MergingWhatHasNoCopiesWarns) {
  const std::string run = temporary_dir("knobs") + "/merge";
  const std::string train = "data.train_files=[" + source_path("data/tiny/train.jsonl") + "]";
  const auto start = [&](Words more) {
    more.insert(more.end(), {train, "data.merge_copies=true", "--dry-run"});
    return run_covrl(tiny_train_words(run, more)).err;
  };
  EXPECT_NE(start({"data.repeat=1"}).find("merge_copies has nothing to merge"), std::string::npos);
  EXPECT_NE(start({"data.repeat=1", "trainer.train_batch_size=5"})
                .find("only where a batch spans two epochs"),
            std::string::npos);
  EXPECT_EQ(start({"data.repeat=2"}).find("to merge"), std::string::npos);
}

}  // namespace
}  // namespace covrl::testing
