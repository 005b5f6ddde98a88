#include "rl/learner.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "core/error.h"
#include "core/jsonl.h"
#include "core/rng.h"
#include "kernels/mode.h"
#include "rl/entropy_metrics.h"
#include "rl/step_metrics.h"
#include "tests/support/fake_comm.h"
#include "tests/support/paths.h"
#include "tests/support/torch/batches.h"
#include "tests/support/torch/tiny_model.h"

namespace covrl {
namespace {

using testing::flat_weights;

constexpr double kTemperature = 0.7;

using testing::tiny_model;

struct Sample {
  Group group;
  std::vector<double> advantages;
};

std::vector<Sample> make_samples(int64_t num_groups) {
  std::vector<Sample> samples;
  Sequence draws(12, Stream::kTest);
  for (Group& group : testing::random_groups(num_groups)) {
    Sample& sample = samples.emplace_back();
    for (size_t i = 0; i < group.trajectories.size(); ++i)
      sample.advantages.push_back(draws.normal());
    sample.group = std::move(group);
  }
  return samples;
}

Batch pack(const std::vector<Sample>& samples) {
  std::vector<Group> groups;
  std::vector<double> advantages;
  for (const Sample& sample : samples) {
    groups.push_back(sample.group);
    advantages.insert(advantages.end(), sample.advantages.begin(), sample.advantages.end());
  }
  Batch batch = Batch::pack(1, groups);
  batch.advantage_T.set(testing::broadcast(batch, advantages));
  return batch;
}

LearnerConfig make_config() {
  LearnerConfig config;
  config.kl_loss_coef = 0.05;
  config.entropy_control = {.kind = {"bonus"}, .entropy_coeff = 0.02};
  config.ppo_mini_batch_size = 2;
  config.ppo_epochs = 2;
  config.ppo_max_tokens = 40;
  config.optim.lr = 1e-3;
  return config;
}

struct Outcomes {
  at::Tensor weights, old_logprob, old_entropy;
  std::vector<std::pair<std::string, double>> metrics;
};

Outcomes learn(const LearnerConfig& config, const std::vector<Sample>& samples, int num_ranks) {
  std::vector<Outcomes> results(static_cast<size_t>(num_ranks));
  testing::run_ranks(num_ranks, [&](Communicator& comm) {
    Model policy = tiny_model(5);
    const Model reference = tiny_model(6);
    Learner learner(config, policy, config.kl_loss_coef > 0 ? &reference : nullptr, comm,
                    kTemperature, 1, 100, 9);
    Batch batch = pack(samples);
    learner.score(batch);
    const Metrics metrics = learner.update(batch);
    results[static_cast<size_t>(comm.rank())] = {flat_weights(policy), batch.old_logprob_T.get(),
                                                 batch.old_entropy_T.get(), metrics.entries()};
  });
  for (const Outcomes& result : results) {
    EXPECT_TRUE(result.weights.equal(results[0].weights));
    EXPECT_TRUE(result.old_logprob.equal(results[0].old_logprob));
    EXPECT_EQ(result.metrics, results[0].metrics);
  }
  return results[0];
}

double metric(const Outcomes& result, const std::string& name) {
  return testing::metric_of(result.metrics, name);
}

// One update that shows the gradient.
LearnerConfig gradient_config() {
  LearnerConfig config = make_config();
  config.ppo_mini_batch_size = 0;
  config.ppo_epochs = 1;
  testing::show_gradient(config.optim);
  return config;
}

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).to(at::kDouble).norm() / b.to(at::kDouble).norm()).item<double>();
}

class LearnerTest : public ::testing::Test {
 protected:
  // The ranks are threads already: pools of threads below them would only wait for each other.
  static void SetUpTestSuite() { kernels::set_num_threads(1); }
};

TEST_F(LearnerTest, RankCountDoesNotChangeABit) {
  const std::vector<Sample> samples = make_samples(5);
  const Outcomes wanted = learn(make_config(), samples, 1);
  EXPECT_EQ(metric(wanted, "actor/num_updates"), 6);
  EXPECT_FALSE(wanted.weights.equal(flat_weights(tiny_model(5))));
  for (int num_ranks : {2, 4}) {
    const Outcomes seen = learn(make_config(), samples, num_ranks);
    EXPECT_TRUE(seen.weights.equal(wanted.weights)) << num_ranks;
    EXPECT_TRUE(seen.old_logprob.equal(wanted.old_logprob)) << num_ranks;
    EXPECT_TRUE(seen.old_entropy.equal(wanted.old_entropy)) << num_ranks;
    EXPECT_EQ(seen.metrics, wanted.metrics) << num_ranks;
  }
}

TEST_F(LearnerTest, MicroBatchSizeDoesNotChangeLossAndGradient) {
  const std::vector<Sample> samples = make_samples(5);
  for (const std::string& mode : reduction_names()) {
    LearnerConfig config = gradient_config();
    config.loss_agg_mode = mode;
    config.ppo_max_tokens = 100000;
    const at::Tensor start = flat_weights(tiny_model(5));
    const Outcomes whole = learn(config, samples, 1);
    for (int64_t max_tokens : {1, 17, 40}) {
      config.ppo_max_tokens = max_tokens;
      const Outcomes parts = learn(config, samples, 1);
      EXPECT_TRUE(parts.old_logprob.equal(whole.old_logprob)) << mode << max_tokens;
      EXPECT_LT(relative_difference(parts.weights - start, whole.weights - start), 1e-6)
          << mode << max_tokens;
      for (const auto& [name, value] : whole.metrics)
        EXPECT_NEAR(metric(parts, name), value, 1e-6 * std::abs(value) + 1e-9)
            << mode << max_tokens << name;
    }
  }
}

TEST_F(LearnerTest, OrderOfSequencesDoesNotChangeLossAndGradient) {
  std::vector<Sample> samples = make_samples(4);
  const Outcomes wanted = learn(gradient_config(), samples, 1);
  std::reverse(samples.begin(), samples.end());
  for (size_t g = 0; g < samples.size(); ++g) {
    samples[g].group.slot = g;
    std::reverse(samples[g].group.trajectories.begin(), samples[g].group.trajectories.end());
    std::reverse(samples[g].advantages.begin(), samples[g].advantages.end());
  }
  const Outcomes seen = learn(gradient_config(), samples, 1);
  const at::Tensor start = flat_weights(tiny_model(5));
  EXPECT_LT(relative_difference(seen.weights - start, wanted.weights - start), 1e-6);
  for (const auto& [name, value] : wanted.metrics)
    EXPECT_NEAR(metric(seen, name), value, 1e-6 * std::abs(value) + 1e-9) << name;
}

TEST_F(LearnerTest, FirstUpdateAfterScoringHasRatioOne) {
  LearnerConfig config = make_config();
  config.ppo_mini_batch_size = 0;
  config.ppo_epochs = 1;
  config.ppo_max_tokens = 23;
  const std::vector<Sample> samples = make_samples(4);
  const Outcomes seen = learn(config, samples, 2);
  EXPECT_EQ(metric(seen, "actor/ppo_kl"), 0);
  EXPECT_EQ(metric(seen, "actor/pg_clipfrac"), 0);
  double total = 0, num_tokens = 0;
  for (const Sample& sample : samples)
    for (size_t i = 0; i < sample.advantages.size(); ++i) {
      const double length = static_cast<double>(sample.group.trajectories[i].tokens.size());
      total -= sample.advantages[i] * length;
      num_tokens += length;
    }
  EXPECT_NEAR(metric(seen, "actor/pg_loss"), total / num_tokens,
              1e-6 * std::abs(total / num_tokens) + 1e-7);
  EXPECT_EQ(metric(seen, "actor/num_updates"), 1);
}

TEST_F(LearnerTest, ScoresEqualTheModelsOwn) {
  const std::vector<Sample> samples = make_samples(3);
  const Outcomes seen = learn(make_config(), samples, 2);
  const Model policy = tiny_model(5);
  int64_t begin = 0;
  for (const Sample& sample : samples)
    for (const Trajectory& trajectory : sample.group.trajectories) {
      std::vector<int64_t> tokens = sample.group.prompt.tokens;
      const int64_t prompt_length = static_cast<int64_t>(tokens.size());
      tokens.insert(tokens.end(), trajectory.tokens.begin(), trajectory.tokens.end());
      const int64_t length = static_cast<int64_t>(tokens.size());
      const PackedScores alone = score(policy, pack_tokens({tokens}), kTemperature);
      const at::Tensor logprob = seen.old_logprob.narrow(0, begin, length),
                       entropy = seen.old_entropy.narrow(0, begin, length);
      EXPECT_TRUE(logprob.slice(0, prompt_length - 1, length - 1)
                      .equal(alone.logprob_T.slice(0, prompt_length - 1, length - 1)));
      EXPECT_TRUE(entropy.slice(0, prompt_length - 1, length - 1)
                      .equal(alone.entropy_T.slice(0, prompt_length - 1, length - 1)));
      EXPECT_TRUE(logprob.slice(0, 0, prompt_length - 1).equal(at::zeros({prompt_length - 1})));
      EXPECT_EQ(logprob[length - 1].item<float>(), 0);
      begin += length;
    }
}

TEST_F(LearnerTest, FailedTrajectoriesChangeNothing) {
  const std::vector<Sample> samples = make_samples(4);
  std::vector<Sample> with_failures = samples;
  for (Sample& sample : with_failures) {
    Trajectory failed = sample.group.trajectories[0];
    failed.verdict.outcome = Outcome::kFailed;
    sample.group.trajectories.push_back(failed);
    failed.finish_reason = FinishReason::kFailed;
    failed.behaviour_logprob.clear();
    sample.group.trajectories.insert(sample.group.trajectories.begin(), failed);
    sample.advantages.insert(sample.advantages.begin(), 5.0);
    sample.advantages.push_back(-5.0);
  }
  const Outcomes wanted = learn(make_config(), samples, 1),
                 seen = learn(make_config(), with_failures, 1);
  EXPECT_TRUE(seen.weights.equal(wanted.weights));
  EXPECT_EQ(seen.metrics, wanted.metrics);
}

TEST_F(LearnerTest, MiniBatchWithoutUsableTokensIsSkippedAndCounted) {
  std::vector<Sample> samples = make_samples(4);
  for (size_t g : {0, 1})
    for (Trajectory& trajectory : samples[g].group.trajectories)
      trajectory.verdict.outcome = Outcome::kFailed;
  const Outcomes seen = learn(make_config(), samples, 2);
  EXPECT_EQ(metric(seen, "actor/num_updates"), 2);
  EXPECT_EQ(metric(seen, "actor/num_skipped_updates"), 2);
  for (Sample& sample : samples)
    for (Trajectory& trajectory : sample.group.trajectories)
      trajectory.verdict.outcome = Outcome::kFailed;
  const Outcomes none = learn(make_config(), samples, 2);
  EXPECT_EQ(metric(none, "actor/num_updates"), 0);
  EXPECT_TRUE(none.weights.equal(flat_weights(tiny_model(5))));
}

TEST_F(LearnerTest, WithoutAnythingToLearnOnlyWeightDecayActs) {
  LearnerConfig config = make_config();
  config.kl_loss_coef = 0;
  config.entropy_control = {};
  config.ppo_mini_batch_size = 0;
  config.ppo_epochs = 1;
  std::vector<Sample> samples = make_samples(2);
  const at::Tensor decayed =
      flat_weights(tiny_model(5)) * (1 - config.optim.lr * config.optim.weight_decay);
  LearnerConfig without_loss = config;
  without_loss.pg_loss_coeff = 0;
  const Outcomes no_loss = learn(without_loss, samples, 1);
  for (Sample& sample : samples) sample.advantages.assign(3, 0.0);
  const Outcomes no_advantage = learn(config, samples, 1);
  for (const Outcomes& seen : {no_loss, no_advantage}) {
    EXPECT_EQ(metric(seen, "actor/grad_norm"), 0);
    EXPECT_EQ(metric(seen, "actor/loss"), 0);
    EXPECT_TRUE(at::allclose(seen.weights, decayed, 2e-7, 0));
  }
}

TEST_F(LearnerTest, WithEverythingOffTheWeightsKeepTheirBits) {
  LearnerConfig config = make_config();
  config.pg_loss_coeff = config.kl_loss_coef = config.optim.weight_decay = 0;
  config.entropy_control = {};
  const Outcomes seen = learn(config, make_samples(3), 2);
  EXPECT_TRUE(seen.weights.equal(flat_weights(tiny_model(5))));
  EXPECT_EQ(metric(seen, "actor/num_updates"), 4);
  EXPECT_EQ(metric(seen, "actor/loss"), 0);
  EXPECT_EQ(metric(seen, "actor/grad_norm"), 0);
  EXPECT_GT(metric(seen, "actor/entropy"), 0);
  for (const auto& [name, value] : seen.metrics) EXPECT_TRUE(std::isfinite(value)) << name;
}

TEST_F(LearnerTest, MiniBatchesAreCountedInPromptsOrResponses) {
  const std::vector<Sample> samples = make_samples(4);  // of 3 completions
  LearnerConfig config = make_config();
  const Outcomes prompts = learn(config, samples, 1);
  config.ppo_mini_batch_unit = MiniBatchUnit::kResponses;
  config.ppo_mini_batch_size = 6;
  EXPECT_TRUE(learn(config, samples, 2).weights.equal(prompts.weights));
  config.ppo_mini_batch_size = 5;  // the second and the fourth group are cut
  const Outcomes cut = learn(config, samples, 2);
  EXPECT_EQ(metric(cut, "actor/num_updates"), 6);
  EXPECT_FALSE(cut.weights.equal(prompts.weights));
}

// Log-probs, entropy and gradient are those of a run that samples at the temperature; beside them
// stands what the sampler's log-probs are to be compared with.
TEST_F(LearnerTest, LogProbsMayHaveAnotherTemperatureThanSampling) {
  const std::vector<Sample> samples = make_samples(3);
  struct Scored {
    at::Tensor logprob, ref_logprob, unit_entropy, like_behaviour, weights;
    double gap;
  };
  const auto learn_at = [&](double sampling, std::optional<double> of_logprobs) {
    Scored scored;
    testing::run_ranks(1, [&](Communicator& comm) {
      LearnerConfig config = make_config();
      config.logprob_temperature = of_logprobs;
      Model policy = tiny_model(5);
      const Model reference = tiny_model(6);
      Learner learner(config, policy, &reference, comm, sampling, 1, 100, 9);
      Batch batch = pack(samples);
      learner.score(batch);
      batch.behaviour_logprob_T = batch.scored_like_behaviour_T();
      Metrics metrics;
      add_gap_metrics(batch, metrics);
      learner.update(batch);
      scored = {batch.old_logprob_T.get(),  batch.ref_logprob_T.get(),
                batch.unit_entropy_T.get(), batch.scored_like_behaviour_T(),
                flat_weights(policy),       metrics.at("training/rollout_logprob_diff_max")};
    });
    return scored;
  };
  const Scored cold = learn_at(0.7, {}), warm = learn_at(1.3, {}), unit = learn_at(1, {});
  for (const auto& [temperature, wanted] :
       std::vector<std::pair<double, const Scored*>>{{1.3, &warm}, {1, &unit}}) {
    const Scored seen = learn_at(0.7, temperature);
    EXPECT_TRUE(seen.logprob.equal(wanted->logprob)) << temperature;
    EXPECT_TRUE(seen.ref_logprob.equal(wanted->ref_logprob)) << temperature;
    EXPECT_TRUE(seen.unit_entropy.equal(wanted->unit_entropy)) << temperature;
    EXPECT_TRUE(seen.weights.equal(wanted->weights)) << temperature;
    EXPECT_TRUE(seen.like_behaviour.equal(cold.logprob)) << temperature;
    EXPECT_EQ(seen.gap, 0) << temperature;
  }
  EXPECT_TRUE(learn_at(0.7, 0.7).weights.equal(cold.weights));
  EXPECT_FALSE(cold.logprob.equal(warm.logprob));
}

// The only term is -entropy_coeff * entropy: the step's direction is that in which entropy changes
// with the slope grad_norm / |entropy_coeff|, upwards or downwards as the sign says.
TEST_F(LearnerTest, AnEntropyTermOfEitherSignFollowsItsFiniteDifference) {
  constexpr double kDistance = 0.01;
  const std::vector<Sample> samples = make_samples(3);
  for (const double coefficient : {0.02, -0.02}) {
    LearnerConfig config = gradient_config();
    config.pg_loss_coeff = config.kl_loss_coef = 0;
    config.entropy_control.entropy_coeff = coefficient;
    const Outcomes step = learn(config, samples, 1);
    at::Tensor direction = (step.weights - flat_weights(tiny_model(5))).to(at::kDouble);
    direction /= direction.norm();
    const auto entropy_at = [&](double distance) {
      Model policy = tiny_model(5);
      int64_t begin = 0;
      const at::NoGradGuard no_grad;
      for (const auto& [name, parameter] : policy.parameters()) {
        const at::Tensor move = direction.narrow(0, begin, parameter.numel()) * distance;
        parameter.detach().add_(move.view(parameter.sizes()));
        begin += parameter.numel();
      }
      double entropy = 0;
      testing::run_ranks(1, [&](Communicator& comm) {
        Learner learner(config, policy, nullptr, comm, kTemperature, 1, 100, 9);
        Batch batch = pack(samples);
        learner.score(batch);
        entropy = token_mean(batch.old_entropy_T.get(), batch.loss_mask_T);
      });
      return entropy;
    };
    const double slope = (entropy_at(kDistance) - entropy_at(-kDistance)) / (2 * kDistance);
    const double wanted = metric(step, "actor/grad_norm") / coefficient;
    EXPECT_GT(std::abs(wanted), 0.1);
    EXPECT_NEAR(slope, wanted, 2e-3 * std::abs(wanted)) << coefficient;
  }
}

TEST_F(LearnerTest, NonFiniteLossThrowsOnEveryRankBeforeTheStep) {
  std::vector<int> num_thrown(2);
  testing::run_ranks(2, [&](Communicator& comm) {
    Model policy = tiny_model(5);
    LearnerConfig config = make_config();
    config.kl_loss_coef = 0;
    Learner learner(config, policy, nullptr, comm, kTemperature, 1, 100, 9);
    Batch batch = pack(make_samples(2));
    learner.score(batch);
    const at::Tensor first = at::nonzero(batch.loss_mask_T).flatten()[0];
    batch.advantage_T.get().index_fill_(0, first, std::nanf(""));
    const at::Tensor before = flat_weights(policy);
    try {
      learner.update(batch);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kRuntime);
      EXPECT_NE(std::string(error.what()).find("actor/loss"), std::string::npos) << error.what();
      ++num_thrown[static_cast<size_t>(comm.rank())];
    }
    EXPECT_TRUE(flat_weights(policy).equal(before));
  });
  EXPECT_EQ(num_thrown, (std::vector<int>{1, 1}));
}

TEST_F(LearnerTest, RaisesTheLogProbOfWhatDidWell) {
  LearnerConfig config = make_config();
  config.kl_loss_coef = 0;
  config.entropy_control = {};
  std::vector<Sample> samples = make_samples(2);
  for (Sample& sample : samples) sample.advantages = {1, -1, 0};
  testing::run_ranks(1, [&](Communicator& comm) {
    Model policy = tiny_model(5);
    Learner learner(config, policy, nullptr, comm, kTemperature, 1, 100, 9);
    Batch before = pack(samples), after = pack(samples);
    learner.score(before);
    learner.update(before);
    learner.score(after);
    const at::Tensor gain =
        (after.old_logprob_T.get() - before.old_logprob_T.get()) * before.advantage_T.get();
    EXPECT_GT(gain.sum().item<double>(), 0);
  });
}

TEST(LearnerConfigTest, RefusesKnobsWithoutEffect) {
  const auto load = [](const std::vector<std::string>& overrides) {
    LearnerConfig config;
    config::load({{}, overrides}, [&](config::Visitor& v) { config.describe(v); });
    return config;
  };
  EXPECT_EQ(load({"kl_loss_coef=0.001", "kl_loss_type=low_var_kl"}).kl_loss_type, "low_var_kl");
  EXPECT_EQ(load({"policy_loss.clip_ratio_high=0.28"}).policy_loss.clip_ratio_high, 0.28);
  EXPECT_EQ(
      load({"pg_loss_coeff=0", "entropy_control.kind=bonus", "entropy_control.entropy_coeff=0.001"})
          .pg_loss_coeff,
      0);
  for (const std::vector<std::string>& overrides :
       std::vector<std::vector<std::string>>{{"kl_loss_type=k1"},
                                             {"entropy_control.entropy_coeff=0.001"},
                                             {"pg_loss_coeff=0", "policy_loss.clip_ratio_low=0.1"},
                                             {"ppo_mini_batch_unit=responses"},
                                             {"ppo_mini_batch_unit=tokens"},
                                             {"logprob_temperature=0"},
                                             {"loss_agg_mode=token-median"},
                                             {"ppo_epochs=0"}})
    EXPECT_THROW(load(overrides), Error) << overrides[0];
}

TEST(LearnerConfigTest, ReadsItsOwnDump) {
  const std::vector<std::vector<std::string>> runs = {
      {},
      {"optim.weight_decay=0"},
      {"optim.lr=0"},
      {"pg_loss_coeff=0", "kl_loss_coef=0.1", "kl_loss_type=k1"},
      {"pg_loss_coeff=0", "optim.weight_decay=0", "logprob_temperature=0.5"},
      {"ppo_mini_batch_size=8", "ppo_mini_batch_unit=responses"}};
  for (const std::vector<std::string>& overrides : runs) {
    LearnerConfig config, again;
    const auto describe = [](LearnerConfig& which) {
      return [&which](config::Visitor& v) { which.describe(v); };
    };
    config::load({{}, overrides}, describe(config));
    const std::string file = testing::temporary_dir("learner") + "/resolved.yaml";
    write_file_atomically(file, config::dump(describe(config), config::Comments::kHelp));
    config::load({{file}, {}}, describe(again));
    EXPECT_EQ(config::dump(describe(again), config::Comments::kNone),
              config::dump(describe(config), config::Comments::kNone));
  }
}

}  // namespace
}  // namespace covrl
