// What entropy control selects, seen from the learner: neither micro-batches nor ranks matter.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/error.h"
#include "core/rng.h"
#include "kernels/mode.h"
#include "rl/learner.h"
#include "tests/support/fake_comm.h"
#include "tests/support/torch/batches.h"
#include "tests/support/torch/tiny_model.h"

namespace covrl {
namespace {

constexpr int64_t kNumGroups = 4, kNumSamples = 3, kMaxLength = 9;

std::vector<double> spread_advantages() {
  std::vector<double> advantages;
  Sequence draws(3, Stream::kTest);
  for (int64_t i = 0; i < kNumGroups * kNumSamples; ++i) advantages.push_back(draws.normal());
  return advantages;
}

// 4 groups of 3 completions of 1 to 9 tokens.
Batch make_batch(const std::vector<double>& advantages) {
  std::vector<Group> groups;
  for (int64_t g = 0; g < kNumGroups; ++g) {
    Sequence draws(12, Stream::kTest, static_cast<uint64_t>(g));
    Group& group = groups.emplace_back();
    group.slot = static_cast<uint64_t>(g);
    group.prompt.tokens = {draws.between(0, 36), draws.between(0, 36)};
    for (int64_t i = 0; i < kNumSamples; ++i) {
      Trajectory& trajectory = group.trajectories.emplace_back();
      const int64_t length = draws.between(1, kMaxLength);
      for (int64_t t = 0; t < length; ++t) {
        trajectory.tokens.push_back(draws.between(0, 36));
        trajectory.behaviour_logprob.push_back(-1);
      }
      trajectory.finish_reason = FinishReason::kStop;
      trajectory.verdict.outcome = Outcome::kWrong;
    }
  }
  Batch batch = Batch::pack(1, groups);
  batch.advantage_T.set(testing::broadcast(batch, advantages));
  return batch;
}

LearnerConfig make_config(const std::string& kind) {
  LearnerConfig config;
  EntropyControlConfig& control = config.entropy_control;
  control.kind = {kind};
  control.clip_cov_ratio = 0.1;
  control.clip_cov_lb = 0.05;
  control.kl_cov_ratio = 0.1;
  control.kl_cov_with_clip = kind == "kl_cov";
  config.ppo_epochs = 2;
  config.optim.lr = 1e-3;
  return config;
}

struct Outcomes {
  at::Tensor weights;
  Metrics metrics;
  std::set<int64_t> selected;  // in the last update
};

Outcomes learn(const LearnerConfig& config, int num_ranks, const std::vector<double>& advantages,
               double temperature = 0.7) {
  std::vector<Outcomes> results(static_cast<size_t>(num_ranks));
  testing::run_ranks(num_ranks, [&](Communicator& comm) {
    Model policy = testing::tiny_model(5);
    Learner learner(config, policy, nullptr, comm, temperature, 1, 100, kMaxLength);
    Batch batch = make_batch(advantages);
    learner.score(batch);
    Outcomes& result = results[static_cast<size_t>(comm.rank())];
    result.metrics = learner.update(batch);
    for (const SelectedToken& token : learner.selected_tokens())
      result.selected.insert(token.entry);
    std::vector<at::Tensor> parts;
    for (const auto& [name, parameter] : policy.parameters())
      parts.push_back(parameter.detach().flatten().clone());
    result.weights = at::cat(parts);
  });
  for (const Outcomes& result : results) EXPECT_EQ(result.selected, results[0].selected);
  return results[0];
}

class LearnerSelectionTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() { kernels::set_num_threads(1); }
};

TEST_P(LearnerSelectionTest, MicroBatchesAndRanksChangeNothing) {
  for (const char* score : {"current", "old"}) {
    LearnerConfig config = make_config(GetParam());
    config.entropy_control.score = score;
    config.ppo_max_tokens = 100000;
    const Outcomes wanted = learn(config, 1, spread_advantages());
    EXPECT_FALSE(wanted.selected.empty());
    std::set<size_t> plans;
    for (const int64_t max_tokens : {1, 8, 12, 16, 20, 24, 30, 40, 60, 100000}) {
      config.ppo_max_tokens = max_tokens;
      const Batch batch = make_batch(spread_advantages());
      plans.insert(plan_micro_batches(batch, learning_sequences(batch), max_tokens).size());
      const Outcomes one_rank = learn(config, 1, spread_advantages());
      EXPECT_EQ(one_rank.selected, wanted.selected) << max_tokens;
      for (const auto& [name, value] : wanted.metrics.entries())
        EXPECT_NEAR(one_rank.metrics.at(name), value, 1e-5 * std::abs(value) + 1e-6)
            << max_tokens << name;
      for (const int num_ranks : {2, 4}) {
        const Outcomes seen = learn(config, num_ranks, spread_advantages());
        EXPECT_EQ(seen.selected, wanted.selected) << max_tokens << ' ' << num_ranks;
        EXPECT_TRUE(seen.weights.equal(one_rank.weights)) << max_tokens << ' ' << num_ranks;
        EXPECT_EQ(seen.metrics.entries(), one_rank.metrics.entries()) << max_tokens;
      }
    }
    EXPECT_GE(plans.size(), 6) << "micro-batch counts tried";
  }
}

INSTANTIATE_TEST_SUITE_P(Controls, LearnerSelectionTest,
                         ::testing::Values("clip_cov", "kl_cov", "top_entropy"));

class LearnerControlTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { kernels::set_num_threads(1); }
};

TEST_F(LearnerControlTest, MicroScopeDependsOnMicroBatches) {
  LearnerConfig config = make_config("kl_cov");
  config.entropy_control.scope = "micro";
  config.ppo_max_tokens = 100000;
  EXPECT_EQ(learn(config, 1, spread_advantages()).selected,
            learn(make_config("kl_cov"), 1, spread_advantages()).selected);
  config.ppo_max_tokens = 1;  // a sequence each: every covariance is 0
  EXPECT_TRUE(learn(config, 1, spread_advantages()).selected.empty());
}

TEST_F(LearnerControlTest, KlCovOnPolicyIsThePolicyGradientAndSaysSo) {
  LearnerConfig config = make_config("kl_cov"), plain = make_config("none");
  config.ppo_epochs = plain.ppo_epochs = 1;
  const Outcomes seen = learn(config, 1, spread_advantages()),
                 wanted = learn(plain, 1, spread_advantages());
  EXPECT_TRUE(seen.weights.equal(wanted.weights));
  EXPECT_EQ(seen.metrics.at("actor/loss"), wanted.metrics.at("actor/loss"));
  EXPECT_EQ(seen.metrics.at("entropy_ctrl/inert"), 1);
  EXPECT_GT(seen.metrics.at("entropy_ctrl/selected_tokens"), 0);
  config.ppo_epochs = plain.ppo_epochs = 2;
  const Outcomes moved = learn(config, 1, spread_advantages());
  EXPECT_FALSE(moved.weights.equal(learn(plain, 1, spread_advantages()).weights));
  EXPECT_EQ(moved.metrics.at("entropy_ctrl/inert"), 0.5);
  EXPECT_GT(moved.metrics.at("entropy_ctrl/selected_abs_log_ratio"), 0);
}

TEST_F(LearnerControlTest, EqualRewardsSelectNothing) {
  const size_t num_sequences = kNumGroups * kNumSamples;
  for (const double advantage : {0.0, 1.0 / 3})
    for (const char* kind : {"clip_cov", "kl_cov"}) {
      const std::vector<double> advantages(num_sequences, advantage);
      const Outcomes seen = learn(make_config(kind), 1, advantages);
      EXPECT_TRUE(seen.selected.empty()) << kind;
      EXPECT_EQ(seen.metrics.at("entropy_ctrl/selected_tokens"), 0) << kind;
      EXPECT_EQ(seen.metrics.at("entropy_ctrl/candidates"), 0) << kind;
      EXPECT_EQ(seen.metrics.at("entropy_ctrl/cov_max"), 0) << kind;
      EXPECT_TRUE(seen.weights.equal(learn(make_config("none"), 1, advantages).weights)) << kind;
    }
}

TEST_F(LearnerControlTest, EntropyIsMeasuredAtBothTemperatures) {
  LearnerConfig config = make_config("none");
  const Outcomes cold = learn(config, 2, spread_advantages(), 0.7),
                 unit = learn(config, 1, spread_advantages(), 1);
  EXPECT_EQ(cold.metrics.at("actor/entropy_unit_temperature"),
            unit.metrics.at("entropy/token_mean"));
  EXPECT_EQ(unit.metrics.at("actor/entropy_unit_temperature"),
            unit.metrics.at("entropy/token_mean"));
  EXPECT_LT(cold.metrics.at("entropy/token_mean"), unit.metrics.at("entropy/token_mean"));
  config.entropy_at_unit_temperature = false;
  const Outcomes without = learn(config, 1, spread_advantages(), 0.7);
  EXPECT_EQ(without.metrics.find("actor/entropy_unit_temperature"), nullptr);
  EXPECT_TRUE(without.weights.equal(cold.weights));
}

TEST_F(LearnerControlTest, AdaptiveStateGoesOnAfterAResume) {
  LearnerConfig config = make_config("kl_cov");
  config.entropy_control.kind = {"kl_cov", "adaptive_bonus"};
  config.entropy_control.target_entropy = 50;
  config.entropy_control.set_point = {.enable = true, .low = 40, .high = 50};
  testing::run_ranks(1, [&](Communicator& comm) {
    Model policy = testing::tiny_model(5), again = testing::tiny_model(5);
    Learner first(config, policy, nullptr, comm, 1, 1, 100, kMaxLength),
        second(config, again, nullptr, comm, 1, 1, 100, kMaxLength);
    const auto step = [](Learner& learner) {
      Batch batch = make_batch(spread_advantages());
      learner.score(batch);
      return learner.update(batch);
    };
    step(first);
    EXPECT_EQ(first.controllers().size(), 2);
    second.load_controllers(first.controllers());
    const Metrics wanted = step(first), seen = step(second);
    EXPECT_GT(wanted.at("entropy_ctrl/strength"), 1);
    EXPECT_EQ(seen.at("entropy_ctrl/bonus_coeff"), wanted.at("entropy_ctrl/bonus_coeff"));
    EXPECT_NEAR(seen.at("entropy_ctrl/strength"), wanted.at("entropy_ctrl/strength"), 0.01);
    EXPECT_EQ(first.controllers().size(), 2);
  });
}

TEST(LearnerControlConfigTest, RefusesWhatPolicyLossAndControlMakeOfEachOther) {
  const auto load = [](const std::vector<std::string>& overrides) {
    LearnerConfig config;
    config::load({{}, overrides}, [&](config::Visitor& v) { config.describe(v); });
    return config;
  };
  load({"entropy_control.kind=kl_cov", "entropy_control.kl_cov_with_clip=true"});
  load({"entropy_control.kind=clip_cov", "policy_loss.clip_ratio_high=0.28"});
  EXPECT_THROW(load({"entropy_control.kind=kl_cov"}), Error);
  EXPECT_THROW(load({"entropy_control.kind=clip_cov", "pg_loss_coeff=0"}), Error);
  EXPECT_THROW(load({"entropy_control.kind=top_entropy", "pg_loss_coeff=0"}), Error);
}

}  // namespace
}  // namespace covrl
