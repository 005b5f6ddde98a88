// Entropy control in a run: what it selected can be read, and goes on after an interruption.
#include <gtest/gtest.h>

#include "core/jsonl.h"
#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

std::vector<std::string> kl_cov_words(const std::string& run_dir, int64_t total_steps) {
  return tiny_train_words(
      run_dir,
      {"actor.entropy_control.kind=kl_cov", "actor.entropy_control.kl_cov_ratio=0.02",
       "actor.policy_loss.kind=unclipped", "actor.ppo_mini_batch_size=2",
       "actor.entropy_control.set_point.enable=true", "actor.entropy_control.set_point.low=2",
       "actor.entropy_control.set_point.high=3", "rollout.temperature=0.8", "eval.every=1",
       "eval.before_train=false", "trainer.total_steps=" + std::to_string(total_steps)});
}

TEST(EntropyControlRun, ShowsSelectedTokensAndResumes) {
  const std::string dir = temporary_dir("entropy_control");
  const ProgramResult whole = run_covrl(kl_cov_words(dir + "/whole", 3));
  ASSERT_EQ(whole.status, 0) << whole.err;
  int64_t num_rows = 0;
  read_jsonl(dir + "/whole/selected_tokens.jsonl", [&](int64_t, const Json& row) {
    ++num_rows;
    EXPECT_FALSE(row["text"].get<std::string>().empty());
    EXPECT_FALSE(row["before"].get<std::string>().empty());
    EXPECT_LE(row["logprob"].get<double>(), 0);
    EXPECT_NE(row["covariance"].get<double>(), 0);
    EXPECT_GE(row["position"].get<int64_t>(), 0);
  });
  EXPECT_GT(num_rows, 0);
  for (const auto& [step, metrics] : read_metrics(dir + "/whole/metrics.jsonl")) {
    EXPECT_GT(metrics.at("actor/entropy_unit_temperature"), metrics.at("entropy/token_mean"));
    EXPECT_GT(metrics.at("entropy_ctrl/strength"), 1);
    EXPECT_GE(metrics.at("entropy_ctrl/cov_top_0.02pct"), metrics.at("entropy_ctrl/cov_top_50pct"));
  }

  ASSERT_EQ(run_covrl(kl_cov_words(dir + "/parts", 1)).status, 0);
  ASSERT_EQ(run_covrl(kl_cov_words(dir + "/parts", 3)).status, 0);
  EXPECT_EQ(read_file(dir + "/parts/selected_tokens.jsonl"),
            read_file(dir + "/whole/selected_tokens.jsonl"));
  EXPECT_EQ(curves(dir + "/parts"), curves(dir + "/whole"));
}

}  // namespace
}  // namespace covrl::testing
