#include "rl/run_config.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace covrl {
namespace {

using Words = std::vector<std::string>;

RunConfig load(Words overrides) {
  overrides.insert(overrides.begin(),
                   {"model.path=m", "data.train_files=[d.jsonl]", "trainer.train_batch_size=16"});
  RunConfig config;
  config::load({{}, overrides}, [&](config::Visitor& v) { config.describe(v); });
  return config;
}

std::string fault_of(const Words& overrides) {
  try {
    load(overrides);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void expect_mentions(const std::string& text, const Words& words) {
  for (const std::string& word : words)
    EXPECT_NE(text.find(word), std::string::npos) << "no '" << word << "' in: " << text;
}

TEST(BatchTable, SaysUpdatesInPromptsAndInCompletions) {
  expect_mentions(batch_table(load({}), 1),
                  {"1 update per rollout step, 16 prompts (128 completions) each; strictly"});
  expect_mentions(batch_table(load({"actor.ppo_mini_batch_size=5"}), 1),
                  {"4 updates per rollout step, 5 prompts (40 completions) each\n"});
  const RunConfig code =
      load({"algorithm.adv_estimator=gae", "actor.ppo_mini_batch_size=128",
            "actor.ppo_mini_batch_unit=responses", "critic.ppo_mini_batch_size=16",
            "critic.ppo_mini_batch_unit=responses"});
  expect_mentions(batch_table(code, 1),
                  {"optimizer:    1 update per rollout step, 16 prompts (128 completions) each",
                   "critic:       8 updates per rollout step, 2 prompts (16 completions) each"});
  EXPECT_EQ(updates_per_step(code), 1);
  EXPECT_EQ(critic_updates_per_step(code), 8);
  const RunConfig cut =
      load({"actor.ppo_mini_batch_size=20", "actor.ppo_mini_batch_unit=responses"});
  EXPECT_EQ(updates_per_step(cut), 7);
  expect_mentions(batch_table(cut, 1), {"20 completions each, which cuts groups of 8"});
}

TEST(BatchTable, SaysWhenNoTermMovesThePolicy) {
  const Words off = {"actor.pg_loss_coeff=0"};
  expect_mentions(batch_table(load(off), 1), {"loss:         no term", "only weight decay"});
  expect_mentions(batch_table(load({off[0], "actor.optim.weight_decay=0"}), 1),
                  {"loss:         no term", "the weights stay as they are"});
  expect_mentions(batch_table(load({"actor.optim.lr=0"}), 1),
                  {"actor.optim.lr is 0: the weights stay as they are"});
  for (const Words& on : std::vector<Words>{
           {},
           {off[0], "actor.kl_loss_coef=0.1"},
           {off[0], "actor.entropy_control.kind=bonus", "actor.entropy_control.entropy_coeff=-1"}})
    EXPECT_EQ(batch_table(load(on), 1).find("loss: "), std::string::npos);
}

TEST(BatchTable, SaysTemperaturesThatDiffer) {
  expect_mentions(batch_table(load({"rollout.temperature=0.6", "actor.logprob_temperature=1"}), 1),
                  {"temperature:  0.6 of sampling, 1 of log-probs and entropy"});
  EXPECT_EQ(batch_table(load({"rollout.temperature=0.6", "actor.logprob_temperature=0.6"}), 1),
            batch_table(load({"rollout.temperature=0.6"}), 1));
}

TEST(RunConfigTest, MiniBatchesAboveTheBatchAreRefusedInTheirUnit) {
  expect_mentions(fault_of({"actor.ppo_mini_batch_size=17"}),
                  {"actor", "17 prompts, more than the 16 of a rollout step"});
  expect_mentions(
      fault_of({"actor.ppo_mini_batch_size=129", "actor.ppo_mini_batch_unit=responses"}),
      {"129 responses, more than the 128 of a rollout step", "rollout.n = 8"});
  EXPECT_EQ(fault_of({"actor.ppo_mini_batch_size=128", "actor.ppo_mini_batch_unit=responses"}),
            "no error");
}

TEST(RunConfigTest, TheSamplersLogProbsCannotStandForThoseOfAnotherTemperature) {
  const std::string bypass = "algorithm.rollout_correction.bypass_mode=true";
  expect_mentions(fault_of({bypass, "actor.logprob_temperature=0.5"}),
                  {"bypass_mode", "rollout.temperature = 1", "logprob_temperature = 0.5"});
  EXPECT_EQ(fault_of({bypass}), "no error");
  EXPECT_EQ(fault_of({bypass, "actor.logprob_temperature=1"}), "no error");
}

}  // namespace
}  // namespace covrl
